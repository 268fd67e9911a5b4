-- How many jobs of a school are in each state, and its last sync, are told by an index alone.
DROP INDEX job_by_school, job_sync_by_school;
CREATE INDEX job_by_school ON job (school_id, id DESC) INCLUDE (state, kind);
CREATE INDEX job_sync_by_school ON job (school_id, id DESC) INCLUDE (state)
    WHERE kind = 'sync-school';
