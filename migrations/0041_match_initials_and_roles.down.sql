ALTER TABLE match_candidate DROP COLUMN mis_initials, DROP COLUMN mis_job_title;
