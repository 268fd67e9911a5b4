-- Who was left out is found by name among the issues of the last runs alone, so only these have words, and
-- an index. A new column is faster than to empty the old one in the whole history.
ALTER TABLE job_issue DROP COLUMN words;
ALTER TABLE job_issue ADD COLUMN words tsvector;
COMMENT ON COLUMN job_issue.words IS 'The words by which a person is found (name_words); null: not a person, or not of the last runs of the school. Personal data.';
UPDATE job_issue i SET words = name_words(coalesce(i.name, ''))
FROM (SELECT job_id FROM mis_reading UNION SELECT full_job_id FROM mis_reading) AS last
WHERE i.job_id = last.job_id AND i.record = 'staff';
CREATE INDEX job_issue_by_name ON job_issue USING gin (words) WITH (fastupdate = off) WHERE words IS NOT NULL;
CREATE INDEX job_issue_by_mis_id ON job_issue (lower(mis_id)) WHERE words IS NOT NULL;
COMMENT ON INDEX job_issue_by_name IS 'Finds a person whom the last runs left out, by the beginnings of the words of their name.';
