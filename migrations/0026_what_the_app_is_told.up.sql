-- The iP app may act on jobs.
COMMENT ON COLUMN api_key.role IS
    'app: sync, read, act on jobs, connect schools; viewer: read; operator: sync, read, act on jobs; admin: everything.';

-- A key acts for a person, whom the header X-Requested-By names.
ALTER TABLE job ADD COLUMN on_behalf_of text;
COMMENT ON COLUMN job.requested_by IS 'Name of the API key or command that asked.';
COMMENT ON COLUMN job.on_behalf_of IS 'The person for whom the key asked, as X-Requested-By named them; null: no one was named.';
ALTER TABLE audit_log ADD COLUMN on_behalf_of text;
COMMENT ON COLUMN audit_log.on_behalf_of IS 'The person for whom the key acted, as X-Requested-By named them; null: no one was named.';

-- A line without such a person has the hash that it had before, so old lines still verify, and so do
-- the lines of a release that does not know the column.
CREATE OR REPLACE FUNCTION audit_hash(line audit_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(string_agg(
        CASE WHEN field IS NULL THEN '\x00'::bytea
            ELSE '\x01'::bytea || int4send(octet_length(convert_to(field, 'UTF8')))
                || convert_to(field, 'UTF8') END,
        ''::bytea ORDER BY place))
    FROM unnest(ARRAY[
        encode(line.previous_hash, 'hex'), line.position::text,
        (extract(epoch FROM line.at) * 1000000)::bigint::text, line.actor, line.api_key_id::text,
        line.action, line.school_id, line.job_id::text, line.staff_id::text, line.subject,
        line.reason
    ] || CASE WHEN line.on_behalf_of IS NULL THEN ARRAY[]::text[] ELSE ARRAY[line.on_behalf_of] END)
        WITH ORDINALITY AS f (field, place)
$$;

-- Messages about jobs: to a receiver of the installation and to one of the school.
ALTER TABLE school
    ADD COLUMN callback_url text,
    ADD COLUMN callback_secret bytea,
    ADD COLUMN last_check jsonb,
    ADD CONSTRAINT school_callback CHECK (callback_url IS NULL OR callback_secret IS NOT NULL);
COMMENT ON COLUMN school.callback_url IS 'Where messages about the school''s jobs are posted; null: nowhere.';
COMMENT ON COLUMN school.callback_secret IS 'Signs these messages. Encrypted like the token.';
COMMENT ON COLUMN school.last_check IS 'What Wonde said when it was last asked what the school grants. No personal data.';

CREATE TABLE installation_callbacks (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    is_on boolean NOT NULL
);
INSERT INTO installation_callbacks (is_on) VALUES (false);
COMMENT ON TABLE installation_callbacks IS 'One row: whether the installation has a receiver of callbacks. The leader writes it from the configuration.';
COMMENT ON COLUMN installation_callbacks.is_only IS 'There is one row.';
COMMENT ON COLUMN installation_callbacks.is_on IS 'Whether `callbacks.url` is set.';

COMMENT ON COLUMN job.kind IS
    'sync-school, refresh-user, check-school; internal: handle-webhook, send-alert, send-callback, act-on-jobs. These strings are for ever.';

CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
COMMENT ON FUNCTION uuid_v7 IS 'An id that sorts by creation, like those that the program makes.';

-- A sync ends in many statements, and in those of an older release too. Here no end can be missed, and
-- the message is in the ledger if and only if the end is. The sweeper delivers it.
CREATE FUNCTION enqueue_callbacks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job (id, kind, lane, school_id, options, unique_key, requested_by, max_attempts,
        deadline_at, delivered_at)
    SELECT m.id, 'send-callback', 'internal', NEW.school_id,
        jsonb_build_object('message_id', m.id, 'receiver', m.receiver, 'job_id', NEW.id,
            'school_id', NEW.school_id, 'state', NEW.state,
            'at', coalesce(NEW.finished_at, clock_timestamp()), 'options', NEW.options,
            'report', NEW.report, 'error_type', NEW.error ->> 'type',
            'retry_of', NEW.retry_of, 'undo_of', NEW.undo_of),
        'send-callback:' || m.id, 'callbacks', 10000, now() + interval '24 hours', 'epoch'
    FROM (
        SELECT uuid_v7() AS id, 'installation' AS receiver FROM installation_callbacks WHERE is_on
        UNION ALL
        SELECT uuid_v7(), 'school' FROM school
        WHERE id = NEW.school_id AND callback_url IS NOT NULL
    ) m;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION enqueue_callbacks IS 'Adds a job for each receiver that wants to know how this sync ended.';
CREATE TRIGGER callbacks_of_end AFTER UPDATE OF state ON job FOR EACH ROW
    WHEN (NEW.kind = 'sync-school' AND OLD.state <> NEW.state
        AND NEW.state IN ('held', 'succeeded', 'failed', 'cancelled'))
    EXECUTE FUNCTION enqueue_callbacks();
-- An undo is added when it has already succeeded.
CREATE TRIGGER callbacks_of_undo AFTER INSERT ON job FOR EACH ROW
    WHEN (NEW.kind = 'sync-school' AND NEW.state = 'succeeded')
    EXECUTE FUNCTION enqueue_callbacks();
