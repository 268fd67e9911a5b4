DROP TABLE person_search;
DROP VIEW named_issue;
CREATE VIEW named_issue AS
SELECT i.job_id, i.position, i.code, i.wonde_id, j.school_id, s.id AS staff_id,
    trim(coalesce(s.first_name || ' ' || s.surname, c.mis_first_name || ' ' || c.mis_surname)) AS name,
    coalesce(p.email_key, c.mis_email, s.email) AS email, coalesce(p.upi, s.upi) AS upi,
    coalesce(k.name, b.name) AS class_or_subject
FROM job_issue i
JOIN job j ON j.id = i.job_id
-- The person in iP: the account of the record, or of one of its further records, or as a run saw it.
LEFT JOIN mis_person p ON p.school_id = j.school_id AND p.wonde_id = i.wonde_id
LEFT JOIN staff_alias a ON a.school_id = j.school_id AND a.wonde_id = i.wonde_id
LEFT JOIN staff linked ON linked.school_id = j.school_id AND linked.wonde_id = i.wonde_id
LEFT JOIN staff s ON s.school_id = j.school_id AND s.id = coalesce(linked.id, a.staff_id, p.staff_id)
-- Of people who are not in iP, only the names of possible matches are kept.
LEFT JOIN LATERAL (
    SELECT m.mis_first_name, m.mis_surname, m.mis_email FROM match_candidate m
    WHERE m.school_id = j.school_id AND m.wonde_id = i.wonde_id LIMIT 1
) c ON s.id IS NULL
LEFT JOIN class k ON k.school_id = j.school_id AND k.wonde_id = i.wonde_id AND s.id IS NULL
LEFT JOIN subject b ON b.school_id = j.school_id AND b.wonde_id = i.wonde_id AND s.id IS NULL;
COMMENT ON VIEW named_issue IS 'Issues with the person, class or subject that each is about, as iP and the last runs know them.';
ALTER TABLE job_issue DROP COLUMN words;
ALTER TABLE job_issue DROP COLUMN mis_id;
ALTER TABLE job_issue DROP COLUMN name;
ALTER TABLE job_issue DROP COLUMN record;
