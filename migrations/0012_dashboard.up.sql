-- The operators' dashboard: who is signed in, which filters a team keeps, and what its pages read.

CREATE TABLE dashboard_session (
    id uuid PRIMARY KEY,
    api_key_id uuid NOT NULL REFERENCES api_key (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX dashboard_session_by_key ON dashboard_session (api_key_id);
COMMENT ON TABLE dashboard_session IS 'Who is signed in to the dashboard. The id alone opens nothing: the cookie carries it signed.';
COMMENT ON COLUMN dashboard_session.id IS '122 random bits.';
COMMENT ON COLUMN dashboard_session.api_key_id IS 'The key that was shown; a session ends with its key.';
COMMENT ON COLUMN dashboard_session.created_at IS 'When the key was shown. A session lasts 12 hours at the most.';
COMMENT ON COLUMN dashboard_session.seen_at IS 'The last page that was asked for, to the minute. An hour later the session has ended.';
COMMENT ON COLUMN dashboard_session.ended_at IS 'When its owner signed out.';

CREATE TABLE saved_view (
    name text PRIMARY KEY CHECK (name <> '' AND length(name) <= 60),
    query text NOT NULL CHECK (length(query) <= 1000),
    saved_by text NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE saved_view IS 'Filters of the list of jobs that operators keep, for all of them.';
COMMENT ON COLUMN saved_view.name IS 'What it is called.';
COMMENT ON COLUMN saved_view.query IS 'The filter as the query of a URL.';
COMMENT ON COLUMN saved_view.saved_by IS 'Name of the API key.';
COMMENT ON COLUMN saved_view.saved_at IS 'When it was last saved.';

-- The syncs of a school stand between thousands of logins; its page asks for the syncs alone.
CREATE INDEX job_sync_by_school ON job (school_id, id DESC) WHERE kind = 'sync-school';

-- Where the time of an attempt went: until then it fetched.
ALTER TABLE job_attempt ADD COLUMN comparing_at timestamptz;
COMMENT ON COLUMN job_attempt.comparing_at IS 'When everything was fetched and the comparison began.';
