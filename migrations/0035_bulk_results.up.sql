CREATE TABLE bulk_result (
    bulk_id uuid NOT NULL REFERENCES bulk (id) ON DELETE CASCADE,
    job_id uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    PRIMARY KEY (bulk_id, job_id)
);
COMMENT ON TABLE bulk_result IS 'What became of each job of an action on many jobs.';
COMMENT ON COLUMN bulk_result.bulk_id IS 'The action.';
COMMENT ON COLUMN bulk_result.job_id IS 'The job; it may be gone.';
COMMENT ON COLUMN bulk_result.outcome IS 'done, refused (its state forbade it) or failed.';
