-- A server whose clock jumps back would otherwise keep a dead worker's claim for as long as it jumped.
ALTER TABLE job ADD COLUMN lease_length interval;
COMMENT ON COLUMN job.lease_length IS 'How far ahead the worker sets lease_until; null: a release that did not say it.';

-- Five seconds more, because each transaction has its own now().
CREATE FUNCTION lease_is_over(lease_until timestamptz, lease_length interval) RETURNS boolean
LANGUAGE sql STABLE
RETURN lease_until < now()
    OR coalesce(lease_until > now() + lease_length + interval '5 seconds', false);
COMMENT ON FUNCTION lease_is_over IS
    'Whether a claim has ended. One that lies further ahead than its own length was set before the clock jumped back.';
