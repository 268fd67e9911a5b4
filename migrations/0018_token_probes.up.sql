-- A token that Wonde refused is tried again from time to time, so that a school comes back by itself.
ALTER TABLE school ADD COLUMN token_probed_at timestamptz;
COMMENT ON COLUMN school.token_probed_at IS
    'When a refused token was last tried again; null where it was not, or is accepted.';
COMMENT ON COLUMN school.token_rejected_at IS
    'When Wonde refused this token (twice, a moment apart) or told that access ended; a new token, or one that Wonde accepts again, clears it.';
