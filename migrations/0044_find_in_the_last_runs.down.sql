COMMENT ON COLUMN job_issue.words IS 'The words by which a person is found (name_words). Personal data, removed with the job.';
UPDATE job_issue i SET words = name_words(i.name)
FROM (SELECT job_id FROM mis_reading UNION SELECT full_job_id FROM mis_reading) AS last
WHERE i.job_id = last.job_id AND i.record = 'staff' AND i.words IS NULL;
DROP TABLE mis_name;
