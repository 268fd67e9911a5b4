DROP INDEX job_by_school, job_sync_by_school;
CREATE INDEX job_by_school ON job (school_id, id DESC);
CREATE INDEX job_sync_by_school ON job (school_id, id DESC) WHERE kind = 'sync-school';
