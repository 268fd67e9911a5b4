-- A token that an administrator typed to connect a school, until the school is chosen.
CREATE TABLE connection_draft (
    id uuid PRIMARY KEY,
    sealed_token bytea NOT NULL,
    wonde_base_url text,
    api_key_id uuid NOT NULL REFERENCES api_key (id),
    schools jsonb,
    problem text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL DEFAULT now() + interval '1 hour'
);
COMMENT ON TABLE connection_draft IS 'A token that an administrator typed to connect a school, until the school is chosen.';
COMMENT ON COLUMN connection_draft.id IS 'UUIDv7.';
COMMENT ON COLUMN connection_draft.sealed_token IS 'The token, sealed with AES-256-GCM.';
COMMENT ON COLUMN connection_draft.wonde_base_url IS 'The Wonde address for it; null: the configured one.';
COMMENT ON COLUMN connection_draft.api_key_id IS 'The key whose owner typed the token; no other key can use it.';
COMMENT ON COLUMN connection_draft.schools IS 'The approved schools that the token can see, as Wonde listed them; null: not listed yet, or it could not be.';
COMMENT ON COLUMN connection_draft.problem IS 'One sentence on why Wonde listed no schools; null: it did, or has not been asked yet.';
COMMENT ON COLUMN connection_draft.created_at IS 'When the token was typed.';
COMMENT ON COLUMN connection_draft.expires_at IS 'From then on it is not used, and the row is removed.';
CREATE INDEX connection_draft_expires ON connection_draft (expires_at);
COMMENT ON COLUMN job.kind IS
    'sync-school, refresh-user, check-school; internal: handle-webhook, send-alert, send-callback, act-on-jobs, list-approved-schools. These strings are for ever.';

-- How the last sync of each school stands, found in the index alone.
CREATE INDEX job_requested_sync ON job (school_id, id DESC) INCLUDE (state, created_at)
    WHERE kind = 'sync-school' AND unique_key NOT LIKE 'undo:%'
        AND NOT coalesce((options ->> 'dry_run')::boolean, false);

-- The list of schools shows and sorts by data quality without counting everyone.
ALTER TABLE mis_reading ADD COLUMN imported integer, ADD COLUMN left_out integer;
COMMENT ON COLUMN mis_reading.imported IS 'Current staff that the run imported; null: a release that did not count them.';
COMMENT ON COLUMN mis_reading.left_out IS 'Current staff that the run left out because of something in the MIS; null as for imported.';
UPDATE mis_reading r SET imported = q.imported, left_out = q.left_out
FROM (SELECT school_id, count(*) FILTER (WHERE outcome = 'imported') AS imported,
        count(*) FILTER (WHERE outcome NOT IN ('imported', 'not_current', 'not_teaching', 'gone')) AS left_out
    FROM mis_person WHERE standing = 'current' GROUP BY school_id) q
WHERE q.school_id = r.school_id;
