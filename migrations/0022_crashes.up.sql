-- A job that kills its worker takes down whatever runs beside it. Crashes are counted apart from
-- attempts, and who has one runs beside nobody else who has.
ALTER TABLE job ADD COLUMN crashes smallint NOT NULL DEFAULT 0;
COMMENT ON COLUMN job.crashes IS 'Attempts that ended without a word from their worker.';
