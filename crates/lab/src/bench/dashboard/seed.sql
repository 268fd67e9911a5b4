-- 2,000 connected schools with 200 people each, and 1,000,000 jobs of thirty days: logins and syncs,
-- states and errors as they come.
INSERT INTO school (id, name, wonde_school_id, wonde_token, mis, created_at)
SELECT 'school-' || n, 'School number ' || n, 'A' || n, '\x00', (ARRAY['Arbor', 'Bromcom', 'Capita SIMS'])[1 + n % 3],
    now() - interval '1 year'
FROM generate_series(1, 2000) n;
INSERT INTO job (id, kind, lane, school_id, staff_id, unique_key, requested_by, state, attempt, max_attempts,
    created_at, started_at, finished_at, next_attempt_at, deadline_at, delivered_at, fence, worker, lease_until, stage, report, error)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
    kind, CASE kind WHEN 'sync-school' THEN 'bulk' ELSE 'interactive' END, 'school-' || school,
    CASE kind WHEN 'refresh-user' THEN ('00000000-0000-7000-8000-' || lpad(to_hex(school * 100 + n % 100), 12, '0'))::uuid END,
    'bench:' || n, CASE WHEN kind = 'refresh-user' THEN 'iP' WHEN n % 20 = 0 THEN 'command line' ELSE 'schedule' END, state,
    CASE WHEN state = 'queued' THEN 0 ELSE 1 END, 5, at,
    CASE WHEN state NOT IN ('queued') THEN at + waited END,
    CASE WHEN state IN ('succeeded', 'failed', 'cancelled') THEN at + waited + ran END,
    CASE WHEN state = 'retrying' THEN now() + interval '1 hour' END,
    now() + interval '6 hours', at,
    CASE WHEN state = 'queued' THEN NULL ELSE n END,
    CASE WHEN state = 'queued' THEN NULL ELSE 'bench-' || n % 4 || '-bulk' END,
    CASE WHEN state = 'running' THEN now() + interval '1 hour' END,
    CASE WHEN state <> 'queued' THEN 'applying' END,
    CASE WHEN state = 'succeeded' THEN '{"fetched":120,"current":100,"created":0,"updated":1,"unchanged":99,"deactivated":0,"restored":0,"skipped":0,"issues":0,"requests":4,"duration_ms":900}'::jsonb END,
    CASE WHEN state IN ('failed', 'retrying') THEN jsonb_build_object('type',
        (ARRAY['wonde_unavailable', 'wonde_unavailable', 'wonde_unauthorized', 'wonde_forbidden', 'database', 'deadline_passed', 'wonde_rate_limited'])[1 + n % 7],
        'title', 'It failed', 'detail', 'As jobs do now and then.') END
FROM (
    SELECT n, now() - (1000000 - n) * interval '2.592 seconds' AS at, 1 + (n / 10 * 7919::bigint + n % 10 * 211) % 2000 AS school,
        CASE WHEN n % 10 < 3 THEN 'sync-school' ELSE 'refresh-user' END AS kind,
        (n * 31 % 97) * interval '20 milliseconds' AS waited,
        CASE WHEN n % 10 < 3 THEN 900 + n * 37 % 4000 ELSE 40 + n * 41 % 500 END * interval '1 millisecond' AS ran,
        CASE WHEN n > 999950 THEN (ARRAY['queued', 'running', 'queued', 'retrying'])[1 + n % 4]
            WHEN n % 25000 = 1 THEN 'held'
            WHEN n % 50 = 7 OR n % 300 = 31 THEN 'failed' WHEN n % 200 = 9 THEN 'cancelled' ELSE 'succeeded' END AS state
    FROM generate_series(1, 1000000) n
) history;
UPDATE school SET last_synced_at = (
    SELECT max(finished_at) FROM job WHERE school_id = school.id AND kind = 'sync-school' AND state = 'succeeded');
INSERT INTO job_attempt (job_id, fence, attempt, worker, started_at, ended_at, outcome, error)
SELECT id, fence, 1, worker, started_at, coalesce(finished_at, started_at + interval '1 second'),
    CASE state WHEN 'succeeded' THEN 'succeeded' WHEN 'failed' THEN 'failed' ELSE 'retry' END, error
FROM job WHERE state IN ('succeeded', 'failed', 'retrying') AND fence IS NOT NULL;
INSERT INTO staff (id, school_id, wonde_id, upi, email, first_name, surname, initials, password_hash)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(school * 200 + n), 12, '0'))::uuid, 'school-' || school,
    'A' || school * 100000 + n, md5('upi' || school * 1000 + n),
    lower(first || '.' || last) || '.' || n || '@school-' || school || '.example', first, last,
    left(first, 1) || left(last, 1), '-'
FROM generate_series(1, 2000) school, generate_series(1, 200) n,
    LATERAL (SELECT (ARRAY['Alex', 'Priya', 'Tom', 'Zoë', 'Grace', 'Omar', 'Ewa', 'Bjørn', 'Nia', 'Seán'])[1 + n % 10] AS first,
        (ARRAY['Smith', 'Shah', 'Jones', 'Okafor', 'Müller', 'O''Brien', 'Smythe', 'Khan', 'Evans', 'Nowak', 'Ashworth',
            'Taylor', 'Singh', 'Brown', 'Small', 'Roberts', 'Clarke'])[1 + (n * 7 + school) % 17] AS last) named;
INSERT INTO login_minute (minute, outcome, within_ms, logins)
SELECT date_trunc('minute', now()) - m * interval '1 minute', outcome, within, 1 + m % 9
FROM generate_series(1, 43200) m, unnest(ARRAY['fresh', 'updated', 'stale']) outcome, unnest(ARRAY[50, 400, 1600]) within;
