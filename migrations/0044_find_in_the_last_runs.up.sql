-- By what people with an issue in the last runs of a school are found. A sync writes what differs.
CREATE TABLE mis_name (
    school_id text NOT NULL REFERENCES school,
    wonde_id text NOT NULL,
    name text,
    mis_id text,
    words tsvector NOT NULL GENERATED ALWAYS AS (name_words(coalesce(name, ''))) STORED,
    PRIMARY KEY (school_id, wonde_id)
);
COMMENT ON TABLE mis_name IS 'Names of people with an issue in the last full run of a school, or in a delta since: by them a person who is not in iP is found. Personal data, removed by the next run that has no such issue.';
COMMENT ON COLUMN mis_name.school_id IS 'The school.';
COMMENT ON COLUMN mis_name.wonde_id IS 'Wonde''s id of the person.';
COMMENT ON COLUMN mis_name.name IS 'As the MIS gave it; null: it gave none.';
COMMENT ON COLUMN mis_name.mis_id IS 'The id in the MIS itself; null: not given.';
COMMENT ON COLUMN mis_name.words IS 'The words of the name (name_words).';

INSERT INTO mis_name (school_id, wonde_id, name, mis_id)
SELECT DISTINCT ON (r.school_id, i.wonde_id) r.school_id, i.wonde_id, i.name, i.mis_id
FROM mis_reading r JOIN job_issue i ON i.job_id IN (r.job_id, r.full_job_id)
WHERE i.record = 'staff' AND i.wonde_id IS NOT NULL
ORDER BY r.school_id, i.wonde_id, i.job_id DESC;
CREATE INDEX mis_name_by_words ON mis_name USING gin (words) WITH (fastupdate = off);
CREATE INDEX mis_name_by_mis_id ON mis_name (lower(mis_id));

COMMENT ON COLUMN job_issue.words IS 'Not used any more; a later release drops it. Personal data, removed with the job.';
