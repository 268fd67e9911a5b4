-- What the last run saw of everybody in the MIS, so that one can say why somebody is here,
-- missing or different. No names.

CREATE TABLE mis_person (
    school_id text NOT NULL REFERENCES school (id),
    wonde_id text NOT NULL,
    upi text,
    email_key text,
    standing text NOT NULL CHECK (standing IN
        ('current', 'not_started', 'ended', 'not_current', 'unsaid')),
    starts_on date,
    ends_on date,
    teaching boolean,
    outcome text NOT NULL,
    staff_id uuid,
    matched_by text,
    job_id uuid NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (school_id, wonde_id)
);
CREATE INDEX mis_person_email ON mis_person (school_id, email_key) WHERE email_key IS NOT NULL;
CREATE INDEX mis_person_gone ON mis_person (school_id, seen_at) WHERE outcome = 'gone';
COMMENT ON TABLE mis_person IS 'Everybody whom a run ever saw in the school''s MIS, dry runs included, imported or not. Evidence: no sync decides by it.';
COMMENT ON COLUMN mis_person.school_id IS 'The school.';
COMMENT ON COLUMN mis_person.wonde_id IS 'Wonde''s id of the person.';
COMMENT ON COLUMN mis_person.upi IS 'Wonde''s unique person identifier, where it can be read.';
COMMENT ON COLUMN mis_person.email_key IS 'Work email in lower case, whether or not it is one; null: there is none.';
COMMENT ON COLUMN mis_person.standing IS 'What the MIS said of the employment (Standing): current, not_started, ended, not_current or unsaid.';
COMMENT ON COLUMN mis_person.starts_on IS 'First day of employment; kept of people who are not current.';
COMMENT ON COLUMN mis_person.ends_on IS 'Last day of employment; kept of people who are not current.';
COMMENT ON COLUMN mis_person.teaching IS 'Teaching staff; null: not said.';
COMMENT ON COLUMN mis_person.outcome IS 'What became of the record (RecordOutcome): imported, not_current, not_teaching, gone, or the code of the issue for which it was left out.';
COMMENT ON COLUMN mis_person.staff_id IS 'Whom the record means in iP; null: nobody, or nobody yet.';
COMMENT ON COLUMN mis_person.matched_by IS 'How the two were first brought together (MatchedBy): wonde_id, upi, work_email or new.';
COMMENT ON COLUMN mis_person.job_id IS 'The run that first saw it like this.';
COMMENT ON COLUMN mis_person.seen_at IS 'When that was. Rows that stay the same are not written.';

CREATE TABLE mis_reading (
    school_id text PRIMARY KEY REFERENCES school (id),
    job_id uuid NOT NULL,
    mode text NOT NULL CHECK (mode IN ('full', 'delta')),
    dry_run boolean NOT NULL,
    read_at timestamptz NOT NULL,
    full_job_id uuid,
    issues text[] NOT NULL
);
COMMENT ON TABLE mis_reading IS 'The last run that read the school''s MIS to its end, dry runs included.';
COMMENT ON COLUMN mis_reading.school_id IS 'The school.';
COMMENT ON COLUMN mis_reading.job_id IS 'The run.';
COMMENT ON COLUMN mis_reading.mode IS 'full or delta.';
COMMENT ON COLUMN mis_reading.dry_run IS 'It changed nobody.';
COMMENT ON COLUMN mis_reading.read_at IS 'When it was compared.';
COMMENT ON COLUMN mis_reading.full_job_id IS 'The last run that read everything.';
COMMENT ON COLUMN mis_reading.issues IS 'Codes of the issues about the whole school (IssueCode), for example permissions that it withholds; those of the last full run and of the deltas since.';

CREATE UNLOGGED TABLE stage_left_out (
    job_id uuid NOT NULL,
    position bigint NOT NULL,
    wonde_id text NOT NULL,
    upi text,
    email text,
    standing text NOT NULL,
    starts_on date,
    ends_on date,
    teaching boolean,
    outcome text NOT NULL,
    PRIMARY KEY (job_id, position)
);
COMMENT ON TABLE stage_left_out IS 'Records that the mapping left out, and why; they become rows of mis_person.';
COMMENT ON COLUMN stage_left_out.job_id IS 'The job.';
COMMENT ON COLUMN stage_left_out.position IS 'Place in Wonde''s list; of two deliveries of one record the later wins.';
COMMENT ON COLUMN stage_left_out.wonde_id IS 'Wonde''s id of the person.';
COMMENT ON COLUMN stage_left_out.upi IS 'Wonde''s unique person identifier, where it can be read.';
COMMENT ON COLUMN stage_left_out.email IS 'Work email as it came; null: none.';
COMMENT ON COLUMN stage_left_out.standing IS 'What the MIS said of the employment (Standing).';
COMMENT ON COLUMN stage_left_out.starts_on IS 'First day of employment.';
COMMENT ON COLUMN stage_left_out.ends_on IS 'Last day of employment.';
COMMENT ON COLUMN stage_left_out.teaching IS 'Teaching staff; null: not said.';
COMMENT ON COLUMN stage_left_out.outcome IS 'Why it was left out (RecordOutcome).';

ALTER TABLE stage_match ADD COLUMN matched_by text;
COMMENT ON COLUMN stage_match.matched_by IS 'How the person was found: wonde_id, upi or work_email; null: to be created.';
