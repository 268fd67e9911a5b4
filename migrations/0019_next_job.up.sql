-- A worker asks the ledger for the next job of a lane whenever Redis delivers none.
CREATE INDEX job_next ON job (lane, id) WHERE state IN ('queued', 'running', 'retrying', 'held');
