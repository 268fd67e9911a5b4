-- The ledger: the only truth for status, uniqueness, retries and history of jobs.

CREATE TABLE api_key (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    role text NOT NULL CHECK (role IN ('app', 'viewer', 'operator', 'admin')),
    school_id text CHECK (school_id ~ '^[A-Za-z0-9_-]{1,64}$'),
    secret_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
COMMENT ON TABLE api_key IS 'Who may call the API. The secret is kept as its SHA-256 only.';
COMMENT ON COLUMN api_key.id IS 'Public part of the key.';
COMMENT ON COLUMN api_key.name IS 'What or who uses the key.';
COMMENT ON COLUMN api_key.role IS 'app: sync and read; viewer: read; operator: act on jobs; admin: schools and keys.';
COMMENT ON COLUMN api_key.school_id IS 'The one school the key is for; null: all. The school may be connected later.';
COMMENT ON COLUMN api_key.secret_hash IS 'SHA-256 of the secret part, which is 256 random bits.';
COMMENT ON COLUMN api_key.created_at IS 'When it was made.';
COMMENT ON COLUMN api_key.revoked_at IS 'From then on it opens nothing.';

-- One number for every claim of every job, never given twice, not even after a crash of the
-- database took back the claim that drew it.
CREATE SEQUENCE job_fence;

CREATE TABLE job (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    lane text NOT NULL,
    school_id text NOT NULL REFERENCES school (id),
    staff_id uuid,
    options jsonb NOT NULL DEFAULT '{}',
    unique_key text NOT NULL,
    requested_by text NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN
        ('queued', 'running', 'retrying', 'held', 'succeeded', 'failed', 'cancelled')),
    attempt integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL CHECK (max_attempts > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    next_attempt_at timestamptz,
    deadline_at timestamptz NOT NULL,
    delivered_at timestamptz NOT NULL DEFAULT now(),
    fence bigint,
    worker text,
    lease_until timestamptz,
    stage text,
    progress_done bigint NOT NULL DEFAULT 0,
    progress_total bigint,
    report jsonb,
    error jsonb,
    CONSTRAINT job_running_has_lease CHECK
        (state <> 'running' OR (fence IS NOT NULL AND worker IS NOT NULL AND lease_until IS NOT NULL)),
    CONSTRAINT job_retrying_has_time CHECK (state <> 'retrying' OR next_attempt_at IS NOT NULL),
    CONSTRAINT job_finished_has_time CHECK
        ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX job_unfinished ON job (unique_key)
    WHERE state IN ('queued', 'running', 'retrying', 'held');
CREATE INDEX job_due ON job (delivered_at) WHERE state IN ('queued', 'running', 'retrying');
CREATE INDEX job_by_school ON job (school_id, id DESC);
CREATE INDEX job_by_state ON job (state, id DESC);
COMMENT ON TABLE job IS 'One piece of work, from the press of a button to its end.';
COMMENT ON COLUMN job.id IS 'UUIDv7: sorts by creation.';
COMMENT ON COLUMN job.kind IS 'sync-school or refresh-user; these strings are for ever.';
COMMENT ON COLUMN job.lane IS 'Which share of the workers'' slots it runs in.';
COMMENT ON COLUMN job.school_id IS 'The school it is for.';
COMMENT ON COLUMN job.staff_id IS 'The person it is for, when it is for one.';
COMMENT ON COLUMN job.options IS 'What the caller asked for; never records.';
COMMENT ON COLUMN job.unique_key IS 'Of the unfinished jobs only one may have it: a second press finds the first.';
COMMENT ON COLUMN job.requested_by IS 'Name of the API key or command that asked.';
COMMENT ON COLUMN job.state IS 'queued, running, retrying, held, succeeded, failed or cancelled.';
COMMENT ON COLUMN job.attempt IS 'Attempts spent, the running one included. Counted when it starts, so a crash counts.';
COMMENT ON COLUMN job.max_attempts IS 'After so many the job fails.';
COMMENT ON COLUMN job.created_at IS 'When it was asked for.';
COMMENT ON COLUMN job.started_at IS 'When an attempt first started.';
COMMENT ON COLUMN job.finished_at IS 'When it succeeded, failed or was cancelled.';
COMMENT ON COLUMN job.next_attempt_at IS 'When a retrying job is due.';
COMMENT ON COLUMN job.deadline_at IS 'No attempt starts after this, however long somebody asks to wait.';
COMMENT ON COLUMN job.delivered_at IS 'When its id was last put on Redis; the sweeper repeats what was not taken.';
COMMENT ON COLUMN job.fence IS 'Number of the latest claim. Every write of a run carries it.';
COMMENT ON COLUMN job.worker IS 'Who claimed it last: host, process and a random part.';
COMMENT ON COLUMN job.lease_until IS 'Until then the worker must have renewed its claim.';
COMMENT ON COLUMN job.stage IS 'fetching, mapping, comparing or applying.';
COMMENT ON COLUMN job.progress_done IS 'Records done in this stage.';
COMMENT ON COLUMN job.progress_total IS 'Records to do in this stage, once known.';
COMMENT ON COLUMN job.report IS 'Counts of what was done.';
COMMENT ON COLUMN job.error IS 'Why the last attempt ended without success: type, title, detail.';

CREATE TABLE job_attempt (
    job_id uuid NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    fence bigint NOT NULL,
    attempt integer NOT NULL,
    worker text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('succeeded', 'retry', 'snoozed', 'failed', 'released', 'lost')),
    error jsonb,
    PRIMARY KEY (job_id, fence)
);
COMMENT ON TABLE job_attempt IS 'Every claim of a job and how it ended.';
COMMENT ON COLUMN job_attempt.job_id IS 'The job.';
COMMENT ON COLUMN job_attempt.fence IS 'Number of the claim.';
COMMENT ON COLUMN job_attempt.attempt IS 'Which attempt it was; snoozed and released ones do not count.';
COMMENT ON COLUMN job_attempt.worker IS 'Who ran it.';
COMMENT ON COLUMN job_attempt.started_at IS 'When it was claimed.';
COMMENT ON COLUMN job_attempt.ended_at IS 'When it ended, or was found to be lost.';
COMMENT ON COLUMN job_attempt.outcome IS 'succeeded, retry, snoozed, failed, released (worker stopped) or lost (worker died).';
COMMENT ON COLUMN job_attempt.error IS 'type, title, detail.';

CREATE TABLE job_issue (
    job_id uuid NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    position bigint GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL,
    wonde_id text,
    PRIMARY KEY (job_id, position)
);
COMMENT ON TABLE job_issue IS 'Records that a sync left out, and why.';
COMMENT ON COLUMN job_issue.job_id IS 'The job that found it.';
COMMENT ON COLUMN job_issue.position IS 'Order in which they were found.';
COMMENT ON COLUMN job_issue.code IS 'Stable reason (IssueCode).';
COMMENT ON COLUMN job_issue.wonde_id IS 'Whose record; null where not even the id can be read.';

CREATE TABLE job_change (
    job_id uuid NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    position bigint GENERATED ALWAYS AS IDENTITY,
    staff_id uuid,
    wonde_id text,
    field text NOT NULL,
    old_value text,
    new_value text,
    PRIMARY KEY (job_id, position)
);
COMMENT ON TABLE job_change IS 'What a sync changed (or, in a dry run, would change), field by field.';
COMMENT ON COLUMN job_change.job_id IS 'The job.';
COMMENT ON COLUMN job_change.position IS 'Order in which they were found.';
COMMENT ON COLUMN job_change.staff_id IS 'The person; null: a dry run would create them.';
COMMENT ON COLUMN job_change.wonde_id IS 'Wonde''s id of the person.';
COMMENT ON COLUMN job_change.field IS 'Column of staff; `created` for a new person, whose fields are in the row itself.';
COMMENT ON COLUMN job_change.old_value IS 'As text; null: empty.';
COMMENT ON COLUMN job_change.new_value IS 'As text; null: empty.';

CREATE TABLE idempotency_key (
    api_key_id uuid NOT NULL REFERENCES api_key (id) ON DELETE CASCADE,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    job_id uuid NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (api_key_id, key)
);
COMMENT ON TABLE idempotency_key IS 'Idempotency-Key headers seen: the same request again gets the same job.';
COMMENT ON COLUMN idempotency_key.api_key_id IS 'Keys of different callers do not meet.';
COMMENT ON COLUMN idempotency_key.key IS 'The header''s value.';
COMMENT ON COLUMN idempotency_key.request_hash IS 'SHA-256 of what was asked; another request with this key is refused.';
COMMENT ON COLUMN idempotency_key.job_id IS 'The job it was answered with.';
COMMENT ON COLUMN idempotency_key.created_at IS 'When it was first seen.';
