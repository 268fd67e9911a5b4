-- A fetched page is one row: people are compared in memory, and no longer in tables. The tables stage_*
-- are an older release's, which may still be at work; a later migration drops them.
CREATE UNLOGGED TABLE fetched_page (
    job_id uuid NOT NULL,
    list text NOT NULL,
    page integer NOT NULL,
    fence bigint NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    records text NOT NULL,
    next text,
    image_hashes text[],
    image_types text[],
    images bytea[],
    PRIMARY KEY (job_id, list, page)
);
-- An image is compressed already.
ALTER TABLE fetched_page ALTER COLUMN images SET STORAGE EXTERNAL;
COMMENT ON TABLE fetched_page IS 'Pages that a fetch has read, until its job ends: another worker goes on from here. Unlogged: what a crash takes is fetched again.';
COMMENT ON COLUMN fetched_page.job_id IS 'The job.';
COMMENT ON COLUMN fetched_page.list IS 'The list; also beginning, notes and second_reading, for what is kept beside pages.';
COMMENT ON COLUMN fetched_page.page IS 'Place of the page in its list, from 0.';
COMMENT ON COLUMN fetched_page.fence IS 'The claim that read it.';
COMMENT ON COLUMN fetched_page.kept_at IS 'When it was kept; of the beginning, when the fetch began.';
COMMENT ON COLUMN fetched_page.records IS 'The records, mapped, as JSON.';
COMMENT ON COLUMN fetched_page.next IS 'Where the list goes on, as JSON; null: it is no page.';
COMMENT ON COLUMN fetched_page.image_hashes IS 'SHA-256 (hex) of photos of the page that are not stored yet.';
COMMENT ON COLUMN fetched_page.image_types IS 'Their media types.';
COMMENT ON COLUMN fetched_page.images IS 'Their contents.';
