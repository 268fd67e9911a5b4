CREATE TABLE login_minute (
    minute timestamptz NOT NULL,
    outcome text NOT NULL,
    within_ms integer NOT NULL,
    logins bigint NOT NULL,
    PRIMARY KEY (minute, outcome, within_ms)
);
COMMENT ON TABLE login_minute IS 'How logins were answered, counted by minute. No person and no school.';
COMMENT ON COLUMN login_minute.minute IS 'The minute of the answer.';
COMMENT ON COLUMN login_minute.outcome IS 'What was answered: fresh, updated, unchanged, no_longer_current, not_linked or stale.';
COMMENT ON COLUMN login_minute.within_ms IS 'The answer took this many milliseconds at most, and longer than the next smaller number.';
COMMENT ON COLUMN login_minute.logins IS 'How many logins.';
