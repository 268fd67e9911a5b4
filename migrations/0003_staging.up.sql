-- Where a fetch waits until it is whole. Unlogged: cheap to fill, and after a crash of the
-- database all of it is empty *together*, so a half-remembered fetch cannot be applied.
--
-- The keys begin with job_id and wonde_id because a staging table has no statistics worth
-- the name: every join is to be a probe of a key, which is linear whatever the planner expects.

CREATE UNLOGGED TABLE stage_fetch (
    job_id uuid PRIMARY KEY,
    fence bigint NOT NULL,
    owns_initials boolean NOT NULL,
    owns_job_title boolean NOT NULL,
    owns_line_manager boolean NOT NULL,
    restores boolean NOT NULL,
    deactivates boolean NOT NULL,
    next_page jsonb,
    pages integer NOT NULL DEFAULT 0,
    fetched bigint NOT NULL DEFAULT 0,
    current bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    nameless bigint NOT NULL DEFAULT 0,
    requests bigint NOT NULL DEFAULT 0,
    complete boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE stage_fetch IS 'How far the fetch of a job is; a later attempt goes on from here.';
COMMENT ON COLUMN stage_fetch.job_id IS 'The job.';
COMMENT ON COLUMN stage_fetch.fence IS 'The claim that stages; only that one may go on.';
COMMENT ON COLUMN stage_fetch.owns_initials IS 'Initials of existing people follow the MIS.';
COMMENT ON COLUMN stage_fetch.owns_job_title IS 'Job titles of existing people follow the MIS.';
COMMENT ON COLUMN stage_fetch.owns_line_manager IS 'Line managers of existing people follow the MIS.';
COMMENT ON COLUMN stage_fetch.restores IS 'Current people who are inactive in iP are made active.';
COMMENT ON COLUMN stage_fetch.deactivates IS 'People who are no longer current are deactivated.';
COMMENT ON COLUMN stage_fetch.next_page IS 'Where Wonde''s list goes on; null: at the start, or complete.';
COMMENT ON COLUMN stage_fetch.pages IS 'Pages staged.';
COMMENT ON COLUMN stage_fetch.fetched IS 'Records on these pages.';
COMMENT ON COLUMN stage_fetch.current IS 'Of these, current staff.';
COMMENT ON COLUMN stage_fetch.skipped IS 'Current staff left out while mapping.';
COMMENT ON COLUMN stage_fetch.nameless IS 'Records so broken that nobody can say whose they are.';
COMMENT ON COLUMN stage_fetch.requests IS 'HTTP requests sent for them.';
COMMENT ON COLUMN stage_fetch.complete IS 'The last page is in.';
COMMENT ON COLUMN stage_fetch.updated_at IS 'An old cursor is not trusted: the list may have moved.';

CREATE UNLOGGED TABLE stage_staff (
    job_id uuid NOT NULL,
    wonde_id text NOT NULL,
    position bigint NOT NULL,
    upi text,
    email text NOT NULL,
    first_name text NOT NULL,
    surname text NOT NULL,
    initials text,
    job_title_delivered boolean NOT NULL,
    job_title text,
    non_teaching boolean,
    hierarchy text[],
    PRIMARY KEY (job_id, wonde_id, position)
);
COMMENT ON TABLE stage_staff IS 'Mapped records of current staff, waiting to be compared.';
COMMENT ON COLUMN stage_staff.job_id IS 'The job.';
COMMENT ON COLUMN stage_staff.wonde_id IS 'Wonde''s id of the person.';
COMMENT ON COLUMN stage_staff.position IS 'Place in Wonde''s list; of two deliveries of one record the later wins.';
COMMENT ON COLUMN stage_staff.upi IS 'Wonde''s unique person identifier.';
COMMENT ON COLUMN stage_staff.email IS 'Work email.';
COMMENT ON COLUMN stage_staff.first_name IS 'Forename.';
COMMENT ON COLUMN stage_staff.surname IS 'Surname.';
COMMENT ON COLUMN stage_staff.initials IS 'Null: not said.';
COMMENT ON COLUMN stage_staff.job_title_delivered IS 'Whether the MIS said anything about roles.';
COMMENT ON COLUMN stage_staff.job_title IS 'Null and delivered: the person has no role.';
COMMENT ON COLUMN stage_staff.non_teaching IS 'Null: not said.';
COMMENT ON COLUMN stage_staff.hierarchy IS 'Wonde ids of the people above or below, nearest first; null: not said.';

CREATE UNLOGGED TABLE stage_present (
    job_id uuid NOT NULL,
    position bigint NOT NULL,
    wonde_id text NOT NULL,
    upi text,
    hierarchy text[],
    PRIMARY KEY (job_id, position)
);
COMMENT ON TABLE stage_present IS 'People who are in the list but not staged; whoever is here has not left.';
COMMENT ON COLUMN stage_present.job_id IS 'The job.';
COMMENT ON COLUMN stage_present.position IS 'Place in Wonde''s list.';
COMMENT ON COLUMN stage_present.wonde_id IS 'Wonde''s id of the person.';
COMMENT ON COLUMN stage_present.upi IS 'Wonde''s unique person identifier, where it can be read.';
COMMENT ON COLUMN stage_present.hierarchy IS 'Wonde ids of the people above or below, nearest first; null: not said.';

CREATE UNLOGGED TABLE stage_issue (
    job_id uuid NOT NULL,
    position bigint NOT NULL,
    code text NOT NULL,
    wonde_id text,
    PRIMARY KEY (job_id, position)
);
COMMENT ON TABLE stage_issue IS 'Problems found while mapping; they become job_issue when the fetch is compared.';
COMMENT ON COLUMN stage_issue.job_id IS 'The job.';
COMMENT ON COLUMN stage_issue.position IS 'Place of the record in Wonde''s list.';
COMMENT ON COLUMN stage_issue.code IS 'Stable reason (IssueCode).';
COMMENT ON COLUMN stage_issue.wonde_id IS 'Whose record.';

CREATE UNLOGGED TABLE stage_match (
    job_id uuid NOT NULL,
    wonde_id text NOT NULL,
    position bigint NOT NULL,
    staff_id uuid,
    email_key text NOT NULL,
    held_key text,
    issue text,
    PRIMARY KEY (job_id, wonde_id)
);
CREATE INDEX stage_match_staff ON stage_match (job_id, staff_id) WHERE staff_id IS NOT NULL;
COMMENT ON TABLE stage_match IS 'Whom each staged record means in iP.';
COMMENT ON COLUMN stage_match.job_id IS 'The job.';
COMMENT ON COLUMN stage_match.wonde_id IS 'The staged record.';
COMMENT ON COLUMN stage_match.position IS 'Which of its deliveries counts: the last.';
COMMENT ON COLUMN stage_match.staff_id IS 'The person in iP; null: to be created.';
COMMENT ON COLUMN stage_match.email_key IS 'The login that the record asks for.';
COMMENT ON COLUMN stage_match.held_key IS 'The login that the person has now.';
COMMENT ON COLUMN stage_match.issue IS 'Doubt: this record is left out, and why.';

CREATE VIEW stage_target AS
SELECT
    m.job_id,
    m.wonde_id,
    m.position,
    m.staff_id,
    coalesce(t.upi, s.upi) AS upi,
    t.email,
    t.first_name,
    t.surname,
    CASE WHEN s.id IS NULL OR f.owns_initials
        THEN coalesce(t.initials, s.initials) ELSE s.initials END AS initials,
    CASE WHEN (s.id IS NULL OR f.owns_job_title) AND t.job_title_delivered
        THEN t.job_title ELSE s.job_title END AS job_title,
    coalesce(t.non_teaching, s.non_teaching, false) AS non_teaching,
    s.id IS NULL OR s.active OR f.restores AS active
FROM stage_match m
JOIN stage_fetch f ON f.job_id = m.job_id
JOIN stage_staff t ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
LEFT JOIN staff s ON s.id = m.staff_id
WHERE m.issue IS NULL;
COMMENT ON VIEW stage_target IS
    'What each matched or new person shall be: the one place that says who owns a field.';
