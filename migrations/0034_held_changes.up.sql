-- An approver can leave single people as they are.
ALTER TABLE job ADD COLUMN leave_people jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN job.leave_people IS
    'People whom the approver of the held job left as they are: iP''s ids, or Wonde ids of new ones; never names.';

-- Time between attempts, waiting for a person, for a pause or for the next attempt, is not run time.
ALTER TABLE job
    ADD COLUMN idle_since timestamptz,
    ADD COLUMN idle_ms bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN job.idle_since IS 'When the last attempt ended, while the job waits for the next one.';
COMMENT ON COLUMN job.idle_ms IS 'Milliseconds between attempts so far: waits for approval, for a pause, for the next attempt.';

-- A trigger, so that every transition counts, those of an older release too.
CREATE FUNCTION job_idle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'running' AND NEW.state IN ('queued', 'retrying', 'held') THEN
        NEW.idle_since := clock_timestamp();
    ELSIF OLD.idle_since IS NOT NULL AND NEW.state NOT IN ('queued', 'retrying', 'held') THEN
        NEW.idle_ms := OLD.idle_ms
            + greatest(0, extract(epoch FROM clock_timestamp() - OLD.idle_since) * 1000)::bigint;
        NEW.idle_since := NULL;
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION job_idle IS 'Counts the time of a job between its attempts.';
CREATE TRIGGER job_idle BEFORE UPDATE OF state ON job FOR EACH ROW
    WHEN (OLD.idle_since IS NOT NULL OR NEW.state IN ('queued', 'retrying', 'held'))
    EXECUTE FUNCTION job_idle();

CREATE TABLE dashboard_reveal (
    session_id uuid NOT NULL REFERENCES dashboard_session ON DELETE CASCADE,
    job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    until timestamptz NOT NULL,
    PRIMARY KEY (session_id, job_id)
);
CREATE INDEX dashboard_reveal_of_job ON dashboard_reveal (job_id);
COMMENT ON TABLE dashboard_reveal IS 'Jobs whose personal data a person has asked to see, which was noted in the audit log.';
COMMENT ON COLUMN dashboard_reveal.session_id IS 'The session whose pages show them.';
COMMENT ON COLUMN dashboard_reveal.job_id IS 'The job.';
COMMENT ON COLUMN dashboard_reveal.until IS 'From then on they are hidden again.';
