COMMENT ON COLUMN school.token_rejected_at IS 'When Wonde answered 401 to this token; a new token clears it.';
ALTER TABLE school DROP COLUMN token_probed_at;
