ALTER TABLE job_period ADD COLUMN people_changed bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN job_period.people_changed IS 'How many people these jobs created, updated, deactivated or restored; dry runs do not count.';

CREATE FUNCTION people_changed(job job) RETURNS bigint LANGUAGE sql STABLE
RETURN CASE
    WHEN job.state = 'succeeded' AND NOT coalesce((job.options ->> 'dry_run')::boolean, false)
    THEN coalesce((job.report ->> 'created')::bigint, 0) + coalesce((job.report ->> 'updated')::bigint, 0)
        + coalesce((job.report ->> 'deactivated')::bigint, 0)
        + coalesce((job.report ->> 'restored')::bigint, 0)
    ELSE 0
END;
COMMENT ON FUNCTION people_changed IS 'How many people a job changed in iP.';
