-- Since when a school withholds a kind of data. The first sync or check that misses it adds the row, and
-- the first that gets it removes it.
CREATE TABLE withheld_data (
    school_id text NOT NULL REFERENCES school,
    issue text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (school_id, issue)
);
COMMENT ON TABLE withheld_data IS 'Kinds of data that a school withholds, and since when.';
COMMENT ON COLUMN withheld_data.school_id IS 'The school.';
COMMENT ON COLUMN withheld_data.issue IS 'The kind, as the code of its issue: photos_withheld and others.';
COMMENT ON COLUMN withheld_data.since IS 'When it was first missing.';

-- What is withheld already has been so since the last reading at the latest.
INSERT INTO withheld_data (school_id, issue, since)
SELECT DISTINCT r.school_id, code, r.read_at
FROM mis_reading r CROSS JOIN LATERAL unnest(r.issues) AS code
WHERE code LIKE '%\_withheld';
