-- The audit log becomes a chain: each line carries a hash of itself and of the line before, so that
-- no line can be changed or taken out unnoticed.

ALTER TABLE audit_log
    ADD COLUMN staff_id uuid,
    ADD COLUMN subject text,
    ADD COLUMN previous_hash bytea,
    ADD COLUMN hash bytea,
    -- The chain gives the position, so that it has no gaps.
    ALTER COLUMN position DROP IDENTITY;
COMMENT ON TABLE audit_log IS 'What people did, and why: a chain of hashes, only ever added to. Kept when the job is long gone.';
COMMENT ON COLUMN audit_log.position IS 'Place in the chain, which is the order in which it happened.';
COMMENT ON COLUMN audit_log.action IS 'What was done (AuditAction).';
COMMENT ON COLUMN audit_log.staff_id IS 'To which person.';
COMMENT ON COLUMN audit_log.subject IS 'To what else: the id of a record, a key, a lane or a worker. No personal data.';
COMMENT ON COLUMN audit_log.previous_hash IS 'Hash of the line before; null: this is the first.';
COMMENT ON COLUMN audit_log.hash IS 'SHA-256 over the hash of the line before and every other column of this line.';

-- Each field as one byte (0: null, else 1, its length in four bytes and its UTF-8), in this order.
-- The program verifies with an implementation of its own (store::audit).
CREATE FUNCTION audit_hash(line audit_log) RETURNS bytea LANGUAGE sql STABLE AS $$
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

-- One appends at a time, from here to the end of its transaction; nothing else waits for that.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(7883959476182934633);
    SELECT position, hash INTO last FROM audit_log ORDER BY position DESC LIMIT 1;
    NEW.position := coalesce(last.position, 0) + 1;
    NEW.previous_hash := last.hash;
    NEW.hash := audit_hash(NEW);
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'lines of the audit log are neither changed nor removed'
        USING ERRCODE = 'restrict_violation';
END
$$;

DO $$
DECLARE
    line audit_log;
    place bigint;
    before bytea;
    places bigint := 0;
BEGIN
    FOR line IN SELECT * FROM audit_log ORDER BY position LOOP
        place := line.position;
        places := places + 1;
        line.position := places;
        line.previous_hash := before;
        line.hash := audit_hash(line);
        UPDATE audit_log SET position = line.position, previous_hash = line.previous_hash,
            hash = line.hash
        WHERE position = place;
        before := line.hash;
    END LOOP;
END
$$;
ALTER TABLE audit_log ALTER COLUMN hash SET NOT NULL;

CREATE TRIGGER audit_chain BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE INDEX audit_log_of_action ON audit_log (action, position DESC);
CREATE INDEX audit_log_of_actor ON audit_log (actor, position DESC);

-- Some categories of a held job approved, others not.
ALTER TABLE job ADD COLUMN left_out jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN job.left_out IS 'Categories of the guard that whoever approved the rest did not: iP keeps what it has of them.';
ALTER TABLE stage_fetch
    ADD COLUMN keeps_emails boolean NOT NULL DEFAULT false,
    ADD COLUMN keeps_job_titles boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN stage_fetch.keeps_emails IS 'New logins were not approved: known people keep theirs.';
COMMENT ON COLUMN stage_fetch.keeps_job_titles IS 'That job titles are emptied was not approved: they stay.';

-- What is old enough to be removed is found without reading what is not.
CREATE INDEX job_ended ON job (kind, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);

CREATE OR REPLACE VIEW stage_target AS
SELECT
    m.job_id,
    m.wonde_id,
    m.position,
    m.staff_id,
    coalesce(t.upi, s.upi) AS upi,
    CASE WHEN s.id IS NOT NULL AND f.keeps_emails THEN s.email ELSE t.email END AS email,
    t.first_name,
    t.surname,
    CASE WHEN s.id IS NULL OR f.owns_initials
        THEN coalesce(t.initials, s.initials) ELSE s.initials END AS initials,
    CASE WHEN (s.id IS NULL OR f.owns_job_title) AND t.job_title_delivered AND NOT f.roles_withheld
            AND NOT (f.keeps_job_titles AND t.job_title IS NULL)
        THEN t.job_title ELSE s.job_title END AS job_title,
    coalesce(t.non_teaching, s.non_teaching, false) AS non_teaching,
    s.id IS NULL OR s.active OR f.restores AS active,
    coalesce(s.mis_values, '{}')
        || jsonb_strip_nulls(jsonb_build_object(
            'email', t.email, 'first_name', t.first_name, 'surname', t.surname,
            'initials', t.initials, 'non_teaching', t.non_teaching))
        || CASE WHEN t.job_title_delivered AND NOT f.roles_withheld
            THEN jsonb_build_object('job_title', t.job_title) ELSE '{}' END AS mis_values
FROM stage_match m
JOIN stage_fetch f ON f.job_id = m.job_id
JOIN stage_staff t ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
LEFT JOIN staff s ON s.id = m.staff_id
LEFT JOIN staff_read r ON r.staff_id = m.staff_id
WHERE m.issue IS NULL AND (r.read_at IS NULL OR r.read_at <= f.started_at);
