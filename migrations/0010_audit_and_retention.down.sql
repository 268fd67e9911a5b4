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
