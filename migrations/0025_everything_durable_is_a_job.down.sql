CREATE INDEX bulk_unfinished ON bulk (id) WHERE finished_at IS NULL;
COMMENT ON TABLE bulk IS 'One action on many jobs, done by the leader job by job.';

CREATE TABLE alert_message (
    id uuid PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    body text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX alert_message_due ON alert_message (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX alert_message_of_alert ON alert_message (alert_id, id);
CREATE TABLE alert_attempt (
    message_id uuid NOT NULL REFERENCES alert_message (id) ON DELETE CASCADE,
    attempt integer NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    http_status integer,
    problem text,
    PRIMARY KEY (message_id, attempt)
);
INSERT INTO alert_message (id, alert_id, body, created_at, state)
SELECT (options ->> 'message_id')::uuid, (options ->> 'alert_id')::uuid, options ->> 'body', created_at,
    CASE state WHEN 'succeeded' THEN 'delivered' WHEN 'failed' THEN 'given_up'
        WHEN 'cancelled' THEN 'given_up' ELSE 'waiting' END
FROM job j WHERE kind = 'send-alert' AND EXISTS (SELECT FROM alert a WHERE a.id::text = options ->> 'alert_id')
ON CONFLICT DO NOTHING;
ALTER TABLE alert DROP COLUMN told;

ALTER TABLE webhook_event
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN next_attempt_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX webhook_event_due ON webhook_event (next_attempt_at) WHERE state = 'received';

DROP FUNCTION is_paused;
DELETE FROM job WHERE lane = 'internal';
DROP INDEX job_internal;
ALTER TABLE job DROP CONSTRAINT job_has_school, ALTER COLUMN school_id SET NOT NULL;
COMMENT ON COLUMN job.school_id IS 'The school it is for.';
