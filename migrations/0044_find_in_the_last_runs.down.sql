DROP INDEX job_issue_by_mis_id, job_issue_by_name;
COMMENT ON COLUMN job_issue.words IS 'The words by which a person is found (name_words). Personal data, removed with the job.';
