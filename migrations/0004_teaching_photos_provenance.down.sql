-- A view cannot lose a column in place.
DROP VIEW stage_target;
CREATE VIEW stage_target AS
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
    CASE WHEN (s.id IS NULL OR f.owns_job_title) AND t.job_title_delivered
        THEN t.job_title ELSE s.job_title END AS job_title,
    coalesce(t.non_teaching, s.non_teaching, false) AS non_teaching,
    s.id IS NULL OR s.active OR f.restores AS active
FROM stage_match m
JOIN stage_fetch f ON f.job_id = m.job_id
JOIN stage_staff t ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
LEFT JOIN staff s ON s.id = m.staff_id
WHERE m.issue IS NULL;
COMMENT ON VIEW stage_target IS
    'What each matched or new person shall be: the one place that says who owns a field.';
DROP TABLE stage_gone, stage_photo, stage_teaching;
ALTER TABLE stage_fetch
    DROP COLUMN list,
    DROP COLUMN lists_read,
    DROP COLUMN updated_after,
    DROP COLUMN started_at,
    DROP COLUMN employment_said,
    DROP COLUMN roles_withheld;
DROP INDEX job_change_of_person;
ALTER TABLE job_change DROP COLUMN record, DROP COLUMN class_id, DROP COLUMN subject_id;
ALTER TABLE school
    DROP COLUMN changes_seen_until, DROP COLUMN last_full_sync_at, DROP COLUMN hierarchy_lists;
ALTER TABLE staff DROP COLUMN mis_values;
DROP TABLE department_staff, department, staff_photo, subject_staff, class_staff, class, subject;
