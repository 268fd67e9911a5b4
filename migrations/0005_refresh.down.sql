-- An older release knows no such job.
DELETE FROM job WHERE kind = 'refresh-user';

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
WHERE m.issue IS NULL;

DROP VIEW staff_read;
DROP TABLE wonde_outage;
DROP TABLE staff_refresh;
