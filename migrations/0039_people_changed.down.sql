DROP FUNCTION people_changed;
ALTER TABLE job_period DROP COLUMN people_changed;
