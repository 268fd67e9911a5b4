-- What operators look at and steer: filters over the whole ledger, workers, pauses, figures over
-- time, actions on many jobs.

-- One index for each filter of the list, each newest first, so that none reads the whole ledger.
CREATE INDEX job_by_kind ON job (kind, state, id DESC);
CREATE INDEX job_of_person ON job (staff_id, id DESC) WHERE staff_id IS NOT NULL;
CREATE INDEX job_by_error ON job ((error ->> 'type'), id DESC) WHERE error IS NOT NULL;
CREATE INDEX job_by_requester ON job (requested_by, id DESC);
-- What ended in a span of time is counted and timed from the index alone.
CREATE INDEX job_finished ON job (finished_at) INCLUDE (kind, state, created_at, started_at)
    WHERE finished_at IS NOT NULL;
CREATE INDEX job_failed ON job (finished_at) WHERE state = 'failed';

CREATE TABLE worker (
    name text PRIMARY KEY CHECK (name <> ''),
    host text NOT NULL,
    pid bigint NOT NULL,
    version text NOT NULL,
    lanes jsonb NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    drain_requested_at timestamptz,
    drains_since timestamptz,
    stopped_at timestamptz
);
COMMENT ON TABLE worker IS 'Worker processes, as they report themselves every two seconds.';
COMMENT ON COLUMN worker.name IS 'Host, process and a random part; job.worker begins with it, lane and share follow.';
COMMENT ON COLUMN worker.host IS 'Name of the machine.';
COMMENT ON COLUMN worker.pid IS 'Id of the process on it.';
COMMENT ON COLUMN worker.version IS 'Release of mis-sync.';
COMMENT ON COLUMN worker.lanes IS 'Slots of each lane.';
COMMENT ON COLUMN worker.started_at IS 'When it first reported itself.';
COMMENT ON COLUMN worker.seen_at IS 'When it last did.';
COMMENT ON COLUMN worker.drain_requested_at IS 'From then on it is to take no jobs; null: it may.';
COMMENT ON COLUMN worker.drains_since IS 'When it said that it takes none; null: it takes them.';
COMMENT ON COLUMN worker.stopped_at IS 'When it stopped in order.';

CREATE TABLE pause (
    scope text NOT NULL CHECK (scope IN ('lane', 'school')),
    target text NOT NULL CHECK (target <> ''),
    paused_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    reason text,
    PRIMARY KEY (scope, target)
);
COMMENT ON TABLE pause IS 'Lanes and schools whose jobs no worker takes for now.';
COMMENT ON COLUMN pause.scope IS 'lane or school.';
COMMENT ON COLUMN pause.target IS 'Name of the lane, or iP''s own key of the school.';
COMMENT ON COLUMN pause.paused_at IS 'Since when. Deadlines do not run from then on.';
COMMENT ON COLUMN pause.actor IS 'Name of the API key or command.';
COMMENT ON COLUMN pause.reason IS 'In the person''s own words, if they gave any.';

CREATE TABLE job_period (
    width_seconds integer NOT NULL CHECK (width_seconds > 0),
    starts_at timestamptz NOT NULL,
    kind text NOT NULL,
    succeeded bigint NOT NULL,
    failed bigint NOT NULL,
    cancelled bigint NOT NULL,
    ran_p50_ms double precision,
    ran_p95_ms double precision,
    waited_p95_ms double precision,
    PRIMARY KEY (width_seconds, starts_at, kind)
);
COMMENT ON TABLE job_period IS 'What became of the jobs that ended in each period, written once when it is over.';
COMMENT ON COLUMN job_period.width_seconds IS 'Length of the period.';
COMMENT ON COLUMN job_period.starts_at IS 'Its start, a multiple of its length.';
COMMENT ON COLUMN job_period.kind IS 'Kind of the jobs. Every kind has a row, so that a quiet period is known to be done.';
COMMENT ON COLUMN job_period.succeeded IS 'How many succeeded.';
COMMENT ON COLUMN job_period.failed IS 'How many failed.';
COMMENT ON COLUMN job_period.cancelled IS 'How many were cancelled.';
COMMENT ON COLUMN job_period.ran_p50_ms IS 'Median time from first start to end; null: none had started.';
COMMENT ON COLUMN job_period.ran_p95_ms IS '95th percentile of the same.';
COMMENT ON COLUMN job_period.waited_p95_ms IS '95th percentile of the time from press to first start.';

CREATE TABLE bulk (
    id uuid PRIMARY KEY,
    action text NOT NULL CHECK (action IN ('retry', 'cancel')),
    filter jsonb NOT NULL,
    actor text NOT NULL,
    api_key_id uuid,
    reason text,
    total bigint NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX bulk_unfinished ON bulk (id) WHERE finished_at IS NULL;
COMMENT ON TABLE bulk IS 'One action on many jobs, done by the leader job by job.';
COMMENT ON COLUMN bulk.id IS 'UUIDv7: sorts by its start.';
COMMENT ON COLUMN bulk.action IS 'retry or cancel.';
COMMENT ON COLUMN bulk.filter IS 'Which jobs were meant (JobFilter).';
COMMENT ON COLUMN bulk.actor IS 'Name of the API key or command.';
COMMENT ON COLUMN bulk.api_key_id IS 'The API key; null: a command.';
COMMENT ON COLUMN bulk.reason IS 'In the person''s own words, if they gave any.';
COMMENT ON COLUMN bulk.total IS 'How many jobs it is about.';
COMMENT ON COLUMN bulk.done IS 'On so many it was done.';
COMMENT ON COLUMN bulk.refused IS 'Whose state forbade it when their turn came.';
COMMENT ON COLUMN bulk.failed IS 'On so many it failed.';
COMMENT ON COLUMN bulk.started_at IS 'When it was asked for; younger jobs are left alone.';
COMMENT ON COLUMN bulk.finished_at IS 'When no job was left.';

CREATE TABLE bulk_job (
    bulk_id uuid NOT NULL REFERENCES bulk (id) ON DELETE CASCADE,
    job_id uuid NOT NULL,
    PRIMARY KEY (bulk_id, job_id)
);
COMMENT ON TABLE bulk_job IS 'Jobs of a bulk action whose turn has not come.';
COMMENT ON COLUMN bulk_job.bulk_id IS 'The action.';
COMMENT ON COLUMN bulk_job.job_id IS 'The job; it may be gone by its turn.';
