-- What a clerk knows a record by. A person who is not in iP is not named anywhere else.
ALTER TABLE job_issue ADD COLUMN record text;
ALTER TABLE job_issue ADD COLUMN name text;
ALTER TABLE job_issue ADD COLUMN mis_id text;
ALTER TABLE job_issue ADD COLUMN words tsvector;
COMMENT ON COLUMN job_issue.record IS 'Whose record: staff, class or subject; null: not known, or the whole school.';
COMMENT ON COLUMN job_issue.name IS 'Name of the person, class or subject as the MIS gave it. Personal data, removed with the job.';
COMMENT ON COLUMN job_issue.mis_id IS 'The id of the record in the MIS itself. Personal data, removed with the job.';
COMMENT ON COLUMN job_issue.words IS 'The words by which a person is found (name_words). Personal data, removed with the job.';

CREATE OR REPLACE VIEW named_issue AS
SELECT i.job_id, i.position, i.code, i.wonde_id, j.school_id, s.id AS staff_id,
    trim(coalesce(s.first_name || ' ' || s.surname, CASE WHEN i.record = 'staff' THEN i.name END,
        c.mis_first_name || ' ' || c.mis_surname)) AS name,
    coalesce(p.email_key, c.mis_email, s.email) AS email, coalesce(p.upi, s.upi) AS upi,
    coalesce(k.name, b.name, CASE WHEN i.record <> 'staff' THEN i.name END) AS class_or_subject,
    coalesce(i.record, CASE WHEN s.id IS NOT NULL THEN 'staff' WHEN k.id IS NOT NULL THEN 'class'
        WHEN b.id IS NOT NULL THEN 'subject' END) AS record,
    i.mis_id
FROM job_issue i
JOIN job j ON j.id = i.job_id
-- The person in iP: the account of the record, or of one of its further records, or as a run saw it.
LEFT JOIN mis_person p ON p.school_id = j.school_id AND p.wonde_id = i.wonde_id
    AND coalesce(i.record, 'staff') = 'staff'
LEFT JOIN staff_alias a ON a.school_id = j.school_id AND a.wonde_id = i.wonde_id
    AND coalesce(i.record, 'staff') = 'staff'
LEFT JOIN staff linked ON linked.school_id = j.school_id AND linked.wonde_id = i.wonde_id
    AND coalesce(i.record, 'staff') = 'staff'
LEFT JOIN staff s ON s.school_id = j.school_id AND s.id = coalesce(linked.id, a.staff_id, p.staff_id)
-- An issue of an older release does not name a person who is not in iP, but a possible match is named.
LEFT JOIN LATERAL (
    SELECT m.mis_first_name, m.mis_surname, m.mis_email FROM match_candidate m
    WHERE m.school_id = j.school_id AND m.wonde_id = i.wonde_id LIMIT 1
) c ON s.id IS NULL AND coalesce(i.record, 'staff') = 'staff'
LEFT JOIN class k ON k.school_id = j.school_id AND k.wonde_id = i.wonde_id AND s.id IS NULL
    AND coalesce(i.record, 'class') = 'class'
LEFT JOIN subject b ON b.school_id = j.school_id AND b.wonde_id = i.wonde_id AND s.id IS NULL
    AND coalesce(i.record, 'subject') = 'subject';
COMMENT ON VIEW named_issue IS 'Issues with the person, class or subject that each is about, as iP and the last runs know them.';

-- A question to the MIS about a person whom no sync kept. What is asked and answered is personal data, so
-- it is in no log and no backup, and is removed after minutes.
CREATE UNLOGGED TABLE person_search (
    id uuid PRIMARY KEY,
    job_id uuid NOT NULL UNIQUE REFERENCES job ON DELETE CASCADE,
    school_id text NOT NULL REFERENCES school,
    api_key_id uuid NOT NULL,
    text text NOT NULL,
    found jsonb,
    asked_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX person_search_expired ON person_search (expires_at);
COMMENT ON TABLE person_search IS 'Questions to the MIS about one person, and the answers. Personal data; see expires_at.';
COMMENT ON COLUMN person_search.id IS 'Named by the job, whose row has no personal data.';
COMMENT ON COLUMN person_search.job_id IS 'The job that asks Wonde.';
COMMENT ON COLUMN person_search.school_id IS 'The school whose MIS is asked.';
COMMENT ON COLUMN person_search.api_key_id IS 'Who asked, and alone sees the answer.';
COMMENT ON COLUMN person_search.text IS 'What was typed: a name, an email or an id. Personal data.';
COMMENT ON COLUMN person_search.found IS 'The answer (FoundPerson), null until the job ends. Personal data.';
COMMENT ON COLUMN person_search.asked_at IS 'When it was asked.';
COMMENT ON COLUMN person_search.expires_at IS 'From then on it is not shown, and the retention removes it.';
