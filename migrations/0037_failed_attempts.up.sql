CREATE INDEX job_attempt_failed ON job_attempt (ended_at)
WHERE outcome IN ('retry', 'failed', 'snoozed');
COMMENT ON INDEX job_attempt_failed IS 'Attempts of the last hours that failed, for incidents.';
