-- Accounts do not pass to another person by themselves.

-- A login is held by active accounts only: whoever left holds nothing, and the email stays for the record.
ALTER TABLE staff DROP CONSTRAINT staff_login;
ALTER TABLE staff ADD COLUMN login text GENERATED ALWAYS AS (CASE WHEN active THEN lower(email) END) STORED;
-- Deferrable: two people may swap addresses within one statement.
ALTER TABLE staff ADD CONSTRAINT staff_login UNIQUE (login) DEFERRABLE INITIALLY IMMEDIATE;
CREATE INDEX staff_email ON staff (email_key);
COMMENT ON COLUMN staff.email IS 'Work email, case as the MIS has it; the login of an active person.';
COMMENT ON COLUMN staff.email_key IS 'The work email as it is compared.';
COMMENT ON COLUMN staff.login IS 'What the person logs in by, as it is compared; unique over all schools. Null: inactive, so they hold no login.';

-- A decision is about the record as it was shown, and is used up by the sync that follows it.
ALTER TABLE match_candidate ADD COLUMN in_doubt boolean NOT NULL DEFAULT false;
ALTER TABLE match_decision
    ADD COLUMN in_doubt boolean NOT NULL DEFAULT false,
    ADD COLUMN mis_first_name text,
    ADD COLUMN mis_surname text,
    ADD COLUMN mis_email text;
DELETE FROM match_decision d USING staff s WHERE s.school_id = d.school_id AND s.wonde_id = d.wonde_id;
COMMENT ON TABLE match_candidate IS 'Records that may mean somebody in iP, or somebody new; a person decides.';
COMMENT ON COLUMN match_candidate.wonde_id IS 'The record.';
COMMENT ON COLUMN match_candidate.staff_id IS 'The person in iP whom it may mean.';
COMMENT ON COLUMN match_candidate.reasons IS 'What they have in common: wonde_id, upi, work_email, surname, first_name, initials, classes.';
COMMENT ON COLUMN match_candidate.in_doubt IS 'A key matches and the names do not: it may be the account of somebody else, so it gets a new password if it is let pass on.';
COMMENT ON COLUMN match_decision.in_doubt IS 'As of the candidate: the account gets a new password.';
COMMENT ON COLUMN match_decision.mis_first_name IS 'Forename of the record that was decided about; null: not kept.';
COMMENT ON COLUMN match_decision.mis_surname IS 'Surname of the record that was decided about; null: not kept.';
COMMENT ON COLUMN match_decision.mis_email IS 'Work email of the record that was decided about; null: not kept.';

-- One person with two current records.
CREATE TABLE staff_alias (
    school_id text NOT NULL REFERENCES school (id),
    wonde_id text NOT NULL,
    staff_id uuid NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    PRIMARY KEY (school_id, wonde_id)
);
CREATE INDEX staff_alias_of_person ON staff_alias (staff_id);
COMMENT ON TABLE staff_alias IS 'Further current records of people who have more than one; classes and line managers may name any of them.';
COMMENT ON COLUMN staff_alias.school_id IS 'The school.';
COMMENT ON COLUMN staff_alias.wonde_id IS 'Wonde''s id of the further record.';
COMMENT ON COLUMN staff_alias.staff_id IS 'The person, who is linked with another record.';

ALTER TABLE stage_match
    ADD COLUMN leads_to text,
    ADD COLUMN joined_job_title text,
    ADD COLUMN joined_non_teaching boolean,
    ADD COLUMN keeps_job_title boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN stage_match.held_key IS 'The login that the person has now; of somebody who stays inactive what the record says, because it asks for none.';
COMMENT ON COLUMN stage_match.leads_to IS 'The record by which this person is known, of which this one is an alias.';
COMMENT ON COLUMN stage_match.joined_job_title IS 'The roles of all records of the person; null: only this one.';
COMMENT ON COLUMN stage_match.joined_non_teaching IS 'Whether the person teaches by none of their records; null: only this one.';
COMMENT ON COLUMN stage_match.keeps_job_title IS 'The person has further records, which were not read: roles count as not said.';

-- Every record of the list, imported or not: whoever is here is not gone.
CREATE VIEW stage_listed AS
SELECT job_id, wonde_id, upi FROM stage_staff
UNION ALL
SELECT job_id, wonde_id, upi FROM stage_present
UNION ALL
SELECT job_id, wonde_id, upi FROM stage_left_out;
COMMENT ON VIEW stage_listed IS 'Every record of the list that can be read, imported or not: whoever is here is not gone.';

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
            AND NOT m.keeps_job_title
            AND NOT (f.keeps_job_titles AND coalesce(m.joined_job_title, t.job_title) IS NULL)
        THEN coalesce(m.joined_job_title, t.job_title) ELSE s.job_title END AS job_title,
    coalesce(m.joined_non_teaching, t.non_teaching, s.non_teaching, false) AS non_teaching,
    s.id IS NULL OR s.active OR f.restores AS active,
    coalesce(s.mis_values, '{}')
        || jsonb_strip_nulls(jsonb_build_object(
            'email', t.email, 'first_name', t.first_name, 'surname', t.surname,
            'initials', t.initials,
            'non_teaching', coalesce(m.joined_non_teaching, t.non_teaching)))
        || CASE WHEN t.job_title_delivered AND NOT f.roles_withheld AND NOT m.keeps_job_title
            THEN jsonb_build_object('job_title', coalesce(m.joined_job_title, t.job_title))
            ELSE '{}' END AS mis_values
FROM stage_match m
JOIN stage_fetch f ON f.job_id = m.job_id
JOIN stage_staff t ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
LEFT JOIN staff s ON s.id = m.staff_id
LEFT JOIN staff_read r ON r.staff_id = m.staff_id
WHERE m.issue IS NULL AND (r.read_at IS NULL OR r.read_at <= f.started_at);
