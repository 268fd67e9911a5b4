//! Every metric. `docs/metrics.md` is made from this list.

use super::kinds::{Counter, Description, Gauge, Histogram, Scope};

/// From a millisecond to half a minute: requests, waits and single steps.
const SHORT: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// From a hundredth of a second to an hour: whole jobs.
const LONG: &[f64] = &[
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0,
];

/// Declares the metrics, and `ALL` with the description of each.
macro_rules! metrics {
    ($($scope:ident {
        $($name:ident: $type:ident $(<$buckets:ident>)? = $metric:literal $labels:tt $help:literal;)+
    })+) => {
        $($(
            #[doc = $help]
            pub static $name: $type<{ <[&str]>::len(&$labels) }> =
                $type::new($metric, &$labels, $help, Scope::$scope, buckets!($($buckets)?));
        )+)+

        pub(super) const ALL: &[&Description] = &[$($($name.description(),)+)+];
    };
}

macro_rules! buckets {
    () => {
        &[]
    };
    ($buckets:ident) => {
        $buckets
    };
}

metrics! {
    Ledger {
        LEDGER_UP: Gauge = "mis_sync_ledger_up" []
            "Whether Postgres gave the ledger's figures. If 0, the others are absent.";
        JOBS: Gauge = "mis_sync_jobs" ["kind", "state"] "Unfinished jobs.";
        OLDEST_QUEUED: Gauge = "mis_sync_oldest_queued_seconds" ["lane"]
            "How long the oldest queued job has waited; 0 if none waits.";
        LANE_PAUSED: Gauge = "mis_sync_lane_paused" ["lane"]
            "1 while a person has paused the lane.";
        WORKERS: Gauge = "mis_sync_workers" [] "Workers that reported within ten seconds.";
        BUSY_WORKERS: Gauge = "mis_sync_busy_workers" [] "Workers that hold a job.";
        OPEN_ALERTS: Gauge = "mis_sync_open_alerts" ["type"] "Open alerts about schools.";
        SCHOOLS_CONNECTED: Gauge = "mis_sync_schools_connected" [] "Schools with a Wonde token.";
        SCHOOLS_STALE: Gauge = "mis_sync_schools_stale" []
            "Connected schools with a schedule and no successful sync for `alerts.stale_hours`.";
        SCHOOLS_FAILED: Gauge = "mis_sync_schools_failed" []
            "Connected schools whose last sync failed for good.";
        SCHOOLS_HELD: Gauge = "mis_sync_schools_held" []
            "Connected schools with a sync that waits for approval.";
        SCHOOLS_TOKEN_REFUSED: Gauge = "mis_sync_schools_token_refused" []
            "Connected schools whose token Wonde refuses.";
    }
    Process {
        BUILD_INFO: Gauge = "mis_sync_build_info" ["version", "commit"] "Always 1.";
        REDIS_UP: Gauge = "mis_sync_redis_up" [] "Whether this process can use Redis.";
        REDIS_TROUBLE: Gauge = "mis_sync_redis_trouble" ["reason"]
            "1 for the reason why this process cannot use Redis.";
        POOL_CONNECTIONS: Gauge = "mis_sync_pool_connections" ["state"]
            "Connections to Postgres in the pool: `in_use` or `idle`.";
        POOL_MAX_CONNECTIONS: Gauge = "mis_sync_pool_max_connections" []
            "The most connections that the pool opens (`database.max_connections`).";
        POOL_WAIT: Histogram<SHORT> = "mis_sync_pool_wait_seconds" []
            "How long a transaction waited for a connection of the pool.";
        POOL_TIMEOUTS: Counter = "mis_sync_pool_timeouts_total" []
            "Times that no connection of the pool became free within five seconds.";
        JOBS_ENQUEUED: Counter = "mis_sync_jobs_enqueued_total" ["kind"]
            "New jobs that this process put in the queue.";
        JOBS_ENDED: Counter = "mis_sync_jobs_ended_total" ["kind", "outcome"]
            "Jobs that this process ended: succeeded, failed or cancelled.";
        LOG_LINES: Counter = "mis_sync_log_lines_total" ["level"]
            "Warnings and errors, including repeated ones that are only counted in the log.";
    }
    Api {
        HTTP_REQUEST_DURATION: Histogram<SHORT> = "mis_sync_http_request_duration_seconds"
            ["method", "route", "status"]
            "How long requests took, by the pattern of their path.";
    }
    Worker {
        LEADER: Gauge = "mis_sync_leader" [] "Whether this worker is the leader.";
        WORKER_SLOTS: Gauge = "mis_sync_worker_slots" ["lane"]
            "Jobs that this worker can run at once.";
        RUNNING_JOBS: Gauge = "mis_sync_running_jobs" ["lane"] "Jobs that this worker is running.";
        JOB_QUEUE_WAIT: Histogram<LONG> = "mis_sync_job_queue_wait_seconds" ["kind", "lane"]
            "How long a job waited from the request to the start of its first attempt.";
        JOB_RUN: Histogram<LONG> = "mis_sync_job_run_seconds" ["kind", "lane"]
            "How long an attempt at a job took.";
        JOB_ATTEMPTS: Counter = "mis_sync_job_attempts_total" ["kind", "outcome"]
            "Attempts by how they ended: succeeded, held, retry, snoozed, failed, released, or lost \
             (the lease was lost, or a person cancelled the job).";
        SYNC_STAGE: Histogram<LONG> = "mis_sync_sync_stage_seconds" ["stage"]
            "How long a sync was fetching from Wonde, then comparing and applying (one step, named \
             applying).";
        JOBS_REDELIVERED: Counter = "mis_sync_jobs_redelivered_total" ["reason"]
            "Jobs that the sweeper sent to Redis: `retry_due` is normal, `not_taken` happens when no slot \
             is free for five seconds or Redis lost the job, `lease_expired` rescues a job.";
        WONDE_REQUEST_DURATION: Histogram<SHORT> = "mis_sync_wonde_request_duration_seconds"
            ["list", "status"]
            "How long requests to Wonde took. The status is a class, 429, or none if no answer came.";
        WONDE_RETRIES: Counter = "mis_sync_wonde_retries_total" ["list"]
            "Requests to Wonde that repeated a failed one.";
        LIMITER_WAIT: Histogram<SHORT> = "mis_sync_limiter_wait_seconds" ["outcome"]
            "How long a request to Wonde waited for the shared rate limit, until it was granted or \
             refused.";
    }
}
