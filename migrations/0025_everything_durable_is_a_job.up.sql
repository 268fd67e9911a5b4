-- Webhooks from Wonde, messages about alerts and actions on many jobs had queues of their own, each with
-- its own claims, attempts and waits. They are jobs now, in a lane of their own.
ALTER TABLE job
    ALTER COLUMN school_id DROP NOT NULL,
    ADD CONSTRAINT job_has_school CHECK (school_id IS NOT NULL OR lane = 'internal');
COMMENT ON COLUMN job.kind IS
    'sync-school, refresh-user; internal: handle-webhook, send-alert, act-on-jobs. These strings are for ever.';
COMMENT ON COLUMN job.school_id IS 'The school it is for; null only in the internal lane.';
COMMENT ON COLUMN job.options IS 'What the caller asked for, or what an internal job carries; never records.';
-- There are few of them, and every list leaves them out.
CREATE INDEX job_internal ON job (id) WHERE lane = 'internal';

-- Not in SQL, which Postgres would plan again for each query that calls it.
CREATE FUNCTION is_paused(lane text, school_id text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN $1 <> 'internal'
        AND (EXISTS (SELECT FROM pause p WHERE p.scope = 'lane' AND p.target = $1)
            OR EXISTS (SELECT FROM pause p WHERE p.scope = 'school' AND p.target = $2));
END $$;
COMMENT ON FUNCTION is_paused IS 'Whether workers leave jobs of this lane and this school alone for now.';

INSERT INTO job (id, kind, lane, options, unique_key, requested_by, max_attempts, deadline_at)
SELECT id, 'handle-webhook', 'internal', jsonb_build_object('event_id', id), 'handle-webhook:' || id,
    'wonde', 10000, now() + interval '30 days'
FROM webhook_event WHERE state = 'received';
ALTER TABLE webhook_event DROP COLUMN attempts, DROP COLUMN next_attempt_at;

ALTER TABLE alert ADD COLUMN told boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN alert.told IS 'Whether a message was asked for that it is on. Without one, none says that it is over.';
UPDATE alert a SET told = true WHERE EXISTS (SELECT FROM alert_message m WHERE m.alert_id = a.id);
INSERT INTO job
    (id, kind, lane, school_id, options, unique_key, requested_by, max_attempts, deadline_at)
SELECT m.id, 'send-alert', 'internal', a.school_id,
    jsonb_build_object('alert_id', a.id, 'school_id', a.school_id, 'is_over', is_over,
        'message_id', m.id, 'body', m.body),
    'send-alert:' || a.id || CASE WHEN is_over THEN ':over' ELSE ':raised' END,
    'alerts', 10000, m.created_at + interval '24 hours'
FROM alert_message m JOIN alert a ON a.id = m.alert_id,
    LATERAL (SELECT m.body::jsonb ->> 'type' LIKE '%.recovered' AS is_over) b
WHERE m.state = 'waiting';
DROP TABLE alert_attempt, alert_message;

INSERT INTO job (id, kind, lane, options, unique_key, requested_by, max_attempts, deadline_at)
SELECT id, 'act-on-jobs', 'internal', jsonb_build_object('bulk_id', id), 'act-on-jobs:' || id, actor,
    10000, now() + interval '30 days'
FROM bulk WHERE finished_at IS NULL;
DROP INDEX bulk_unfinished;
COMMENT ON TABLE bulk IS 'One action on many jobs, done job by job.';
