-- People with the same name are told apart by their initials and by what they do at the school.
ALTER TABLE match_candidate ADD COLUMN mis_initials text, ADD COLUMN mis_job_title text;
COMMENT ON COLUMN match_candidate.mis_initials IS 'Initials of the record; null: not given, or not kept.';
COMMENT ON COLUMN match_candidate.mis_job_title IS 'Roles of the record, joined by commas; null: not given, or not kept.';
