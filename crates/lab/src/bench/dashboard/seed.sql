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
-- What the syncs saw and did: the last run of each school with twenty issues, every earlier one with five, and
-- three changes each.
CREATE TEMPORARY TABLE synced AS
SELECT id, school_id, substr(school_id, 8)::int AS school, row_number() OVER (PARTITION BY school_id ORDER BY id DESC) AS age
FROM job WHERE kind = 'sync-school' AND state = 'succeeded';
INSERT INTO mis_reading (school_id, job_id, full_job_id, mode, dry_run, read_at, issues, imported, left_out)
SELECT school_id, id, id, 'full', false, now(), '{}', 200, 12 FROM synced WHERE age = 1;
INSERT INTO mis_person (school_id, wonde_id, upi, email_key, standing, outcome, staff_id, matched_by, job_id)
SELECT s.school_id, s.wonde_id, s.upi, s.email_key, 'current', 'imported', s.id, 'wonde_id', j.id
FROM staff s JOIN synced j ON j.school_id = s.school_id AND j.age = 1;
INSERT INTO mis_person (school_id, wonde_id, standing, outcome, job_id)
SELECT school_id, 'A' || school * 100000 + n, 'current', 'no_work_email', id
FROM synced, generate_series(201, 212) n WHERE age = 1;
INSERT INTO job_issue (job_id, code, wonde_id, record, name, mis_id)
SELECT id, CASE WHEN n > 212 THEN 'class_staff_missing' ELSE 'no_work_email' END, 'A' || school * 100000 + n,
    CASE WHEN n > 212 THEN 'class' ELSE 'staff' END, name, school * 1000 + n
FROM synced, generate_series(201, 220) n, LATERAL (
    SELECT (ARRAY['Rosa', 'Ian', 'Efua', 'Marek'])[1 + n % 4] || ' ' || (ARRAY['Smithson', 'Hall', 'Begum'])[1 + school % 3] AS name) named
WHERE age = 1;
INSERT INTO mis_name (school_id, wonde_id, name, mis_id)
SELECT j.school_id, i.wonde_id, i.name, i.mis_id FROM job_issue i JOIN synced j ON j.id = i.job_id WHERE i.record = 'staff';
INSERT INTO job_issue (job_id, code, wonde_id, record, name, mis_id)
SELECT id, 'no_work_email', 'A' || school * 100000 + n, 'staff', 'Rosa Hall', school * 1000 + n
FROM synced, generate_series(201, 205) n WHERE age > 1;
INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
SELECT id, ('00000000-0000-7000-8000-' || lpad(to_hex(school * 200 + (age + n) % 200 + 1), 12, '0'))::uuid,
    'A' || school * 100000 + (age + n) % 200 + 1, (ARRAY['job_title', 'surname', 'initials'])[1 + n], 'before', 'after'
FROM synced, generate_series(0, 2) n;
-- One sync that changed everyone, one that is held for sixty people, and records to decide.
INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
SELECT j.id, s.id, s.wonde_id, field, 'before', 'after'
FROM synced j JOIN staff s ON s.school_id = j.school_id, unnest(ARRAY['job_title', 'surname', 'email']) field
WHERE j.school_id = 'school-7' AND j.age = 1;
WITH held AS (
    UPDATE job SET report = '{"fetched":140,"current":140,"created":0,"updated":0,"unchanged":140,"deactivated":60,"restored":0,"skipped":0,"issues":0,"requests":4,"duration_ms":900,"guard":[{"category":"deactivated","records":60,"of":200}]}',
        error = '{"type":"implausible_change","title":"Unusually large change: needs approval","detail":"60 of 200 people would no longer be able to log in."}'
    WHERE id = (SELECT max(id::text)::uuid FROM job WHERE state = 'held') RETURNING id, school_id
)
INSERT INTO job_change (job_id, staff_id, wonde_id, field, old_value, new_value)
SELECT h.id, s.id, s.wonde_id, 'active', 'true', 'false'
FROM held h JOIN LATERAL (SELECT id, wonde_id FROM staff s WHERE s.school_id = h.school_id LIMIT 60) s ON true;
INSERT INTO match_candidate (school_id, wonde_id, staff_id, score, reasons, mis_first_name, mis_surname, mis_email, job_id)
SELECT 'school-7', 'B' || row_number() OVER (ORDER BY id), id, 60, '{work_email,first_name}', first_name, 'Longbottom', email, gen_random_uuid()
FROM staff WHERE school_id = 'school-7';
