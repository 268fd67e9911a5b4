DROP TABLE dashboard_reveal;
DROP TRIGGER job_idle ON job;
DROP FUNCTION job_idle;
ALTER TABLE job DROP COLUMN leave_people, DROP COLUMN idle_since, DROP COLUMN idle_ms;
