DROP VIEW stage_listed;
CREATE OR REPLACE VIEW stage_target AS
SELECT
    m.job_id,
    m.wonde_id,
    m.position,
    m.staff_id,
    coalesce(t.upi, s.upi) AS upi,
    CASE WHEN s.id IS NOT NULL AND f.keeps_emails THEN s.email ELSE t.email END AS email,
    t.first_name,
    t.surname,
    CASE WHEN s.id IS NULL OR f.owns_initials
        THEN coalesce(t.initials, s.initials) ELSE s.initials END AS initials,
    CASE WHEN (s.id IS NULL OR f.owns_job_title) AND t.job_title_delivered AND NOT f.roles_withheld
            AND NOT (f.keeps_job_titles AND t.job_title IS NULL)
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

ALTER TABLE stage_match DROP COLUMN leads_to, DROP COLUMN joined_job_title, DROP COLUMN joined_non_teaching,
    DROP COLUMN keeps_job_title;
COMMENT ON COLUMN stage_match.held_key IS 'The login that the person has now.';
DROP TABLE staff_alias;
ALTER TABLE match_decision DROP COLUMN in_doubt, DROP COLUMN mis_first_name, DROP COLUMN mis_surname,
    DROP COLUMN mis_email;
ALTER TABLE match_candidate DROP COLUMN in_doubt;
COMMENT ON TABLE match_candidate IS 'Records of the last full list that may mean somebody whose id is gone; a person decides.';
COMMENT ON COLUMN match_candidate.wonde_id IS 'The record that nobody in iP is linked with.';
COMMENT ON COLUMN match_candidate.staff_id IS 'The person in iP whose own record is gone.';
COMMENT ON COLUMN match_candidate.reasons IS 'What they have in common: work_email, surname, first_name, initials, classes.';
-- Where a successor has a leaver's address, the older release cannot hold both: give one of them another first.
ALTER TABLE staff DROP CONSTRAINT staff_login;
DROP INDEX staff_email;
ALTER TABLE staff DROP COLUMN login;
ALTER TABLE staff ADD CONSTRAINT staff_login UNIQUE (email_key) DEFERRABLE INITIALLY IMMEDIATE;
COMMENT ON COLUMN staff.email IS 'Work email and login, case as the MIS has it.';
COMMENT ON COLUMN staff.email_key IS 'The login as it is compared; unique over all schools.';
