-- The login path: when each person was last read, and whether a school's Wonde is out of reach.

CREATE TABLE staff_refresh (
    staff_id uuid PRIMARY KEY REFERENCES staff (id) ON DELETE CASCADE,
    refreshed_at timestamptz,
    missed_at timestamptz
);
COMMENT ON TABLE staff_refresh IS 'When people were read from the MIS, beyond what the last full sync of the school says of everybody.';
COMMENT ON COLUMN staff_refresh.staff_id IS 'The person.';
COMMENT ON COLUMN staff_refresh.refreshed_at IS 'Start of the last fetch of this person alone, of a delta that delivered them, or of the last full sync that did before missed_at.';
COMMENT ON COLUMN staff_refresh.missed_at IS 'Start of the last full sync that did not deliver the person.';

CREATE TABLE wonde_outage (
    school_id text PRIMARY KEY REFERENCES school (id),
    reason text NOT NULL CHECK (reason IN ('unavailable', 'rate_limited', 'forbidden')),
    noted_at timestamptz NOT NULL,
    probe_at timestamptz NOT NULL
);
COMMENT ON TABLE wonde_outage IS 'Schools whose Wonde failed a login: the next ones are answered without asking it.';
COMMENT ON COLUMN wonde_outage.school_id IS 'The school.';
COMMENT ON COLUMN wonde_outage.reason IS 'unavailable, rate_limited or forbidden.';
COMMENT ON COLUMN wonde_outage.noted_at IS 'The last failure. A connection that was changed later has a chance of its own.';
COMMENT ON COLUMN wonde_outage.probe_at IS 'From then on one login may ask again; it moves this on for the others.';

CREATE VIEW staff_read AS
SELECT
    s.id AS staff_id,
    greatest(
        r.refreshed_at,
        CASE WHEN s.active AND r.missed_at IS DISTINCT FROM c.last_full_sync_at
            THEN c.last_full_sync_at END
    ) AS read_at
FROM staff s
JOIN school c ON c.id = s.school_id
LEFT JOIN staff_refresh r ON r.staff_id = s.id
WHERE s.wonde_id IS NOT NULL;
COMMENT ON VIEW staff_read IS
    'As of when iP holds what the MIS says of each linked person: the start of the last fetch that delivered them.';

-- Whoever was read after this fetch began is as a later fetch found them.
CREATE OR REPLACE VIEW stage_target AS
SELECT
    m.job_id,
    m.wonde_id,
    m.position,
    m.staff_id,
    coalesce(t.upi, s.upi) AS upi,
    t.email,
    t.first_name,
    t.surname,
    CASE WHEN s.id IS NULL OR f.owns_initials
        THEN coalesce(t.initials, s.initials) ELSE s.initials END AS initials,
    CASE WHEN (s.id IS NULL OR f.owns_job_title) AND t.job_title_delivered AND NOT f.roles_withheld
        THEN t.job_title ELSE s.job_title END AS job_title,
    coalesce(t.non_teaching, s.non_teaching, false) AS non_teaching,
    s.id IS NULL OR s.active OR f.restores AS active,
    coalesce(s.mis_values, '{}')
        || jsonb_strip_nulls(jsonb_build_object(
            'email', t.email, 'first_name', t.first_name, 'surname', t.surname,
            'initials', t.initials, 'non_teaching', t.non_teaching))
        || CASE WHEN t.job_title_delivered AND NOT f.roles_withheld
            THEN jsonb_build_object('job_title', t.job_title) ELSE '{}' END AS mis_values
FROM stage_match m
JOIN stage_fetch f ON f.job_id = m.job_id
JOIN stage_staff t ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
LEFT JOIN staff s ON s.id = m.staff_id
LEFT JOIN staff_read r ON r.staff_id = m.staff_id
WHERE m.issue IS NULL AND (r.read_at IS NULL OR r.read_at <= f.started_at);
