-- What a person decides about a job, and who decided what.

ALTER TABLE job
    ADD COLUMN retry_of uuid REFERENCES job (id) ON DELETE SET NULL,
    ADD COLUMN undo_of uuid REFERENCES job (id) ON DELETE SET NULL,
    ADD COLUMN approved jsonb,
    ADD COLUMN approved_at timestamptz;
CREATE INDEX job_retry_of ON job (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX job_undo_of ON job (undo_of) WHERE undo_of IS NOT NULL;
COMMENT ON COLUMN job.retry_of IS 'The job that this one repeats, when somebody asked to try again.';
COMMENT ON COLUMN job.undo_of IS 'The job whose changes this one took back.';
COMMENT ON COLUMN job.approved IS 'How much of each category of the guard a person approved.';
COMMENT ON COLUMN job.approved_at IS 'When; a held job runs again from then on.';

-- A held job that was approved is due.
DROP INDEX job_due;
CREATE INDEX job_due ON job (delivered_at) WHERE state IN ('queued', 'running', 'retrying', 'held');

ALTER TABLE job_attempt DROP CONSTRAINT job_attempt_outcome_check;
ALTER TABLE job_attempt ADD CONSTRAINT job_attempt_outcome_check CHECK (outcome IN
    ('succeeded', 'retry', 'snoozed', 'held', 'failed', 'released', 'lost', 'cancelled'));
COMMENT ON COLUMN job_attempt.outcome IS 'succeeded, retry, snoozed, held, failed, cancelled, released (worker stopped) or lost (worker died).';

CREATE TABLE audit_log (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    api_key_id uuid,
    action text NOT NULL,
    school_id text,
    job_id uuid,
    reason text
);
CREATE INDEX audit_log_of_school ON audit_log (school_id, position DESC);
CREATE INDEX audit_log_of_job ON audit_log (job_id, position DESC) WHERE job_id IS NOT NULL;
COMMENT ON TABLE audit_log IS 'What people did, and why. Kept when the job is long gone.';
COMMENT ON COLUMN audit_log.position IS 'Order in which it happened.';
COMMENT ON COLUMN audit_log.at IS 'When.';
COMMENT ON COLUMN audit_log.actor IS 'Name of the API key or command.';
COMMENT ON COLUMN audit_log.api_key_id IS 'The API key; null: a command.';
COMMENT ON COLUMN audit_log.action IS 'cancel, retry, approve, reject or undo.';
COMMENT ON COLUMN audit_log.school_id IS 'To which school.';
COMMENT ON COLUMN audit_log.job_id IS 'To which job.';
COMMENT ON COLUMN audit_log.reason IS 'In the person''s own words, if they gave any.';
