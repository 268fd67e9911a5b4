DROP INDEX job_requested_sync;
ALTER TABLE mis_reading DROP COLUMN imported, DROP COLUMN left_out;
COMMENT ON COLUMN job.kind IS
    'sync-school, refresh-user, check-school; internal: handle-webhook, send-alert, send-callback, act-on-jobs. These strings are for ever.';
DROP TABLE connection_draft;
