COMMENT ON TABLE stage_gone IS 'What a delta says to be gone: deleted, or no longer current.';
ALTER TABLE stage_fetch DROP COLUMN read_again, DROP COLUMN missed;
