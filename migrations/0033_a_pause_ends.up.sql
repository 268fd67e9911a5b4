-- A pause can end by itself: workers end it once its time has come.
ALTER TABLE pause ADD COLUMN until timestamptz;
COMMENT ON COLUMN pause.until IS 'When a worker ends it; null: when a person does.';
