-- Finding people again whose ids in the MIS are all new.

CREATE TABLE match_candidate (
    school_id text NOT NULL REFERENCES school (id),
    wonde_id text NOT NULL,
    staff_id uuid NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    score integer NOT NULL,
    reasons text[] NOT NULL,
    mis_first_name text NOT NULL,
    mis_surname text NOT NULL,
    mis_email text NOT NULL,
    job_id uuid NOT NULL,
    PRIMARY KEY (school_id, wonde_id, staff_id)
);
CREATE INDEX match_candidate_of_person ON match_candidate (staff_id);
COMMENT ON TABLE match_candidate IS 'Records of the last full list that may mean somebody whose id is gone; a person decides.';
COMMENT ON COLUMN match_candidate.school_id IS 'The school.';
COMMENT ON COLUMN match_candidate.wonde_id IS 'The record that nobody in iP is linked with.';
COMMENT ON COLUMN match_candidate.staff_id IS 'The person in iP whose own record is gone.';
COMMENT ON COLUMN match_candidate.score IS 'How much they have in common, 0 to 100.';
COMMENT ON COLUMN match_candidate.reasons IS 'What they have in common: work_email, surname, first_name, initials, classes.';
COMMENT ON COLUMN match_candidate.mis_first_name IS 'Forename of the record.';
COMMENT ON COLUMN match_candidate.mis_surname IS 'Surname of the record.';
COMMENT ON COLUMN match_candidate.mis_email IS 'Work email of the record.';
COMMENT ON COLUMN match_candidate.job_id IS 'The sync that found it.';

CREATE TABLE match_decision (
    school_id text NOT NULL REFERENCES school (id),
    wonde_id text NOT NULL,
    staff_id uuid REFERENCES staff (id) ON DELETE CASCADE,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (school_id, wonde_id)
);
CREATE INDEX match_decision_of_person ON match_decision (staff_id) WHERE staff_id IS NOT NULL;
COMMENT ON TABLE match_decision IS 'Whom a record means, as a person decided.';
COMMENT ON COLUMN match_decision.school_id IS 'The school.';
COMMENT ON COLUMN match_decision.wonde_id IS 'The record.';
COMMENT ON COLUMN match_decision.staff_id IS 'The person in iP; null: somebody new.';
COMMENT ON COLUMN match_decision.decided_by IS 'Name of the API key or command.';
COMMENT ON COLUMN match_decision.decided_at IS 'When.';

COMMENT ON COLUMN mis_person.matched_by IS 'How the two were first brought together (MatchedBy): wonde_id, decision, upi, work_email or new.';
COMMENT ON COLUMN stage_match.matched_by IS 'How the person was found: wonde_id, decision, upi or work_email; null: to be created.';
