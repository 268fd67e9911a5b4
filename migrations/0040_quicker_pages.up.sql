CREATE TABLE login_period (
    width_seconds integer NOT NULL,
    starts_at timestamptz NOT NULL,
    outcome text NOT NULL,
    within_ms integer NOT NULL,
    logins bigint NOT NULL,
    PRIMARY KEY (width_seconds, starts_at, outcome, within_ms)
);
COMMENT ON TABLE login_period IS 'The minutes of login_minute, added up for periods that are over. The charts of a day and of thirty days read them.';
COMMENT ON COLUMN login_period.width_seconds IS 'The length of the period.';
COMMENT ON COLUMN login_period.starts_at IS 'Its start.';
COMMENT ON COLUMN login_period.outcome IS 'As in login_minute.';
COMMENT ON COLUMN login_period.within_ms IS 'As in login_minute.';
COMMENT ON COLUMN login_period.logins IS 'How many logins.';

-- The words of a name take about a tenth of a millisecond. With the default costs, a search for two
-- letters computed them row by row or in parallel, although the index has them.
ALTER FUNCTION name_words(text) COST 4000 PARALLEL UNSAFE;
