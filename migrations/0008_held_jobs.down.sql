DROP TABLE audit_log;
UPDATE job_attempt SET outcome = 'failed' WHERE outcome IN ('held', 'cancelled');
ALTER TABLE job_attempt DROP CONSTRAINT job_attempt_outcome_check;
ALTER TABLE job_attempt ADD CONSTRAINT job_attempt_outcome_check CHECK (outcome IN
    ('succeeded', 'retry', 'snoozed', 'failed', 'released', 'lost'));
COMMENT ON COLUMN job_attempt.outcome IS 'succeeded, retry, snoozed, failed, released (worker stopped) or lost (worker died).';
DROP INDEX job_due;
CREATE INDEX job_due ON job (delivered_at) WHERE state IN ('queued', 'running', 'retrying');
ALTER TABLE job
    DROP COLUMN approved_at,
    DROP COLUMN approved,
    DROP COLUMN undo_of,
    DROP COLUMN retry_of;
