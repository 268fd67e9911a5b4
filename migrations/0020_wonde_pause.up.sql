-- Redis may be away, or emptied, while Wonde wants to be left alone.
CREATE TABLE wonde_pause (
    limit_key text PRIMARY KEY CHECK (limit_key <> ''),
    paused_until timestamptz NOT NULL
);
COMMENT ON TABLE wonde_pause IS 'Tokens with which Wonde asked us to wait (429); read without Redis, and by a Redis that was emptied.';
COMMENT ON COLUMN wonde_pause.limit_key IS '32 hex digits of the SHA-256 of the token.';
COMMENT ON COLUMN wonde_pause.paused_until IS 'Until then no request is sent with it.';
