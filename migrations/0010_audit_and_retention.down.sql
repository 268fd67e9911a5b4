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
DROP INDEX job_ended;
DROP INDEX idempotency_key_by_age;
ALTER TABLE stage_fetch DROP COLUMN keeps_emails, DROP COLUMN keeps_job_titles;
ALTER TABLE job DROP COLUMN left_out;
DROP TRIGGER audit_chain ON audit_log;
DROP TRIGGER audit_refuse ON audit_log;
DROP FUNCTION audit_chain();
DROP FUNCTION audit_refuse();
DROP FUNCTION audit_hash(audit_log);
DROP INDEX audit_log_of_action;
DROP INDEX audit_log_of_actor;
ALTER TABLE audit_log
    DROP COLUMN staff_id,
    DROP COLUMN subject,
    DROP COLUMN previous_hash,
    DROP COLUMN hash,
    ALTER COLUMN position ADD GENERATED ALWAYS AS IDENTITY;
SELECT setval(pg_get_serial_sequence('audit_log', 'position'),
    (SELECT coalesce(max(position), 0) + 1 FROM audit_log), false);
COMMENT ON TABLE audit_log IS 'What people did, and why. Kept when the job is long gone.';
COMMENT ON COLUMN audit_log.position IS 'Order in which it happened.';
COMMENT ON COLUMN audit_log.action IS 'cancel, retry, approve, reject or undo.';
