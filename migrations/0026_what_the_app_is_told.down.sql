DROP TRIGGER callbacks_of_undo ON job;
DROP TRIGGER callbacks_of_end ON job;
DROP FUNCTION enqueue_callbacks();
DROP FUNCTION uuid_v7();
COMMENT ON COLUMN job.kind IS
    'sync-school, refresh-user; internal: handle-webhook, send-alert, act-on-jobs. These strings are for ever.';
DROP TABLE installation_callbacks;
ALTER TABLE school
    DROP COLUMN callback_url,
    DROP COLUMN callback_secret,
    DROP COLUMN last_check;
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
    ]) WITH ORDINALITY AS f (field, place)
$$;
ALTER TABLE audit_log DROP COLUMN on_behalf_of;
ALTER TABLE job DROP COLUMN on_behalf_of;
COMMENT ON COLUMN api_key.role IS 'app: sync and read; viewer: read; operator: act on jobs; admin: schools and keys.';
