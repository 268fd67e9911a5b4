-- What runs without anybody pressing a button: the schedule, webhooks from Wonde, alerts.

CREATE TABLE school_schedule (
    school_id text PRIMARY KEY REFERENCES school (id),
    full_until timestamptz,
    delta_until timestamptz
);
COMMENT ON TABLE school_schedule IS 'Up to when a school''s schedule was served, so that no other leader serves it again.';
COMMENT ON COLUMN school_schedule.school_id IS 'The school.';
COMMENT ON COLUMN school_schedule.full_until IS 'The last nightly slot for which a sync was asked for.';
COMMENT ON COLUMN school_schedule.delta_until IS 'The last slot, nightly or hourly, for which a sync was asked for.';
-- Schools that are there already begin with the next night, not with a sync of all at once.
INSERT INTO school_schedule (school_id, full_until, delta_until) SELECT id, now(), now() FROM school;

CREATE TABLE webhook_event (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    wonde_school_id text,
    details jsonb NOT NULL DEFAULT '{}',
    sealed_token bytea,
    body_hash bytea NOT NULL UNIQUE,
    state text NOT NULL DEFAULT 'received' CHECK (state IN
        ('received', 'applied', 'kept', 'refused', 'ignored')),
    reason text,
    times_received integer NOT NULL DEFAULT 1,
    attempts integer NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL DEFAULT now(),
    last_received_at timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    handled_at timestamptz,
    CONSTRAINT webhook_event_kept_has_token CHECK (state <> 'kept' OR sealed_token IS NOT NULL)
);
CREATE INDEX webhook_event_due ON webhook_event (next_attempt_at) WHERE state = 'received';
CREATE INDEX webhook_event_kept ON webhook_event (wonde_school_id) WHERE state = 'kept';
COMMENT ON TABLE webhook_event IS 'What Wonde posted, each body once, and what became of it.';
COMMENT ON COLUMN webhook_event.id IS 'UUIDv7: sorts by the time of arrival.';
COMMENT ON COLUMN webhook_event.kind IS 'Wonde''s payload_type, known or not.';
COMMENT ON COLUMN webhook_event.wonde_school_id IS 'Wonde''s id of the school that it is about; null where it names none.';
COMMENT ON COLUMN webhook_event.details IS 'The fields of a known kind that are worth keeping; never a token.';
COMMENT ON COLUMN webhook_event.sealed_token IS 'The token of an approval, sealed, until it is the school''s or refused.';
COMMENT ON COLUMN webhook_event.body_hash IS 'SHA-256 of the body: the same body again is the same event.';
COMMENT ON COLUMN webhook_event.state IS 'received: to be handled; applied; kept: confirmed, waits for its school to be connected; refused; ignored.';
COMMENT ON COLUMN webhook_event.reason IS 'Stable code of why it was refused or ignored, or is still to be handled.';
COMMENT ON COLUMN webhook_event.times_received IS 'How often the same body came.';
COMMENT ON COLUMN webhook_event.attempts IS 'How often it was tried to be handled since it last came.';
COMMENT ON COLUMN webhook_event.received_at IS 'When it first came.';
COMMENT ON COLUMN webhook_event.last_received_at IS 'When it last came.';
COMMENT ON COLUMN webhook_event.next_attempt_at IS 'When it is due; a worker that takes it moves this on.';
COMMENT ON COLUMN webhook_event.handled_at IS 'When it last reached a state other than received.';

ALTER TABLE school
    ADD COLUMN migrating_from text,
    ADD COLUMN migrating_to text,
    ADD COLUMN migration_noted_at timestamptz,
    ADD COLUMN migration_completed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN school.migrating_from IS 'The MIS that the school leaves, as Wonde spells it; null: no change was announced.';
COMMENT ON COLUMN school.migrating_to IS 'The MIS that the school changes to, as Wonde spells it.';
COMMENT ON COLUMN school.migration_noted_at IS 'When Wonde last told of the change.';
COMMENT ON COLUMN school.migration_completed IS 'Whether Wonde says that the change is done; then school.mis is the new one.';

-- How the last sync of a school ended, found without reading all its other jobs.
CREATE INDEX job_last_sync ON job (school_id, id DESC)
    WHERE kind = 'sync-school' AND state IN ('succeeded', 'failed', 'held');

CREATE TABLE alert (
    id uuid PRIMARY KEY,
    school_id text NOT NULL REFERENCES school (id),
    kind text NOT NULL CHECK (kind IN ('sync.stale', 'sync.held', 'sync.failed', 'token.rejected')),
    job_id uuid,
    reason text NOT NULL,
    detail text NOT NULL,
    raised_at timestamptz NOT NULL DEFAULT now(),
    cleared_at timestamptz
);
CREATE UNIQUE INDEX alert_open ON alert (school_id, kind) WHERE cleared_at IS NULL;
COMMENT ON TABLE alert IS 'Conditions of a school that somebody has to look at; one open alert of each kind.';
COMMENT ON COLUMN alert.id IS 'UUIDv7: sorts by the time it was raised.';
COMMENT ON COLUMN alert.school_id IS 'The school.';
COMMENT ON COLUMN alert.kind IS 'sync.stale, sync.held, sync.failed or token.rejected.';
COMMENT ON COLUMN alert.job_id IS 'The job that is held or failed.';
COMMENT ON COLUMN alert.reason IS 'Stable code; of a failed job its error''s type.';
COMMENT ON COLUMN alert.detail IS 'One sentence for people, without personal data.';
COMMENT ON COLUMN alert.raised_at IS 'When the condition was first seen.';
COMMENT ON COLUMN alert.cleared_at IS 'When it was seen to be over; null: open.';

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
COMMENT ON TABLE alert_message IS 'Webhooks to be sent about an alert: that it was raised, that it is over.';
COMMENT ON COLUMN alert_message.id IS 'The webhook-id: the same in every attempt, so that a receiver can tell a repeat.';
COMMENT ON COLUMN alert_message.alert_id IS 'The alert.';
COMMENT ON COLUMN alert_message.body IS 'The JSON that is signed and sent, byte for byte the same in every attempt.';
COMMENT ON COLUMN alert_message.state IS 'waiting, delivered (the receiver answered 2xx) or given_up.';
COMMENT ON COLUMN alert_message.attempts IS 'How often it was sent.';
COMMENT ON COLUMN alert_message.created_at IS 'When it was written.';
COMMENT ON COLUMN alert_message.next_attempt_at IS 'When it is due; a worker that takes it moves this on.';

CREATE TABLE alert_attempt (
    message_id uuid NOT NULL REFERENCES alert_message (id) ON DELETE CASCADE,
    attempt integer NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    http_status integer,
    problem text,
    PRIMARY KEY (message_id, attempt)
);
COMMENT ON TABLE alert_attempt IS 'Every attempt at sending a message, and how it ended.';
COMMENT ON COLUMN alert_attempt.message_id IS 'The message.';
COMMENT ON COLUMN alert_attempt.attempt IS 'Which attempt it was.';
COMMENT ON COLUMN alert_attempt.ended_at IS 'When it ended.';
COMMENT ON COLUMN alert_attempt.http_status IS 'What the receiver answered; null: nothing.';
COMMENT ON COLUMN alert_attempt.problem IS 'Why it did not arrive: timeout, connection or status.';
