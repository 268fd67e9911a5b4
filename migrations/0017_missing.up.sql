-- What a full list does not show is looked for before it counts as gone; where much is missing, the
-- list is read once more.
ALTER TABLE stage_fetch
    ADD COLUMN read_again text,
    ADD COLUMN missed text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN stage_fetch.read_again IS 'The list that is or was read for the second time; null: none.';
COMMENT ON COLUMN stage_fetch.missed IS 'Wonde ids of what iP has from that list and its first reading did not show.';
COMMENT ON TABLE stage_gone IS 'What is gone: deleted or no longer current by the word of a list, or missing from a full list and not found by its id either, or missing from two readings.';
