-- A trace continues in the worker that runs the job.
ALTER TABLE job ADD COLUMN traceparent text;
COMMENT ON COLUMN job.traceparent IS 'W3C traceparent of the request that asked for the job; null if that was not traced.';
