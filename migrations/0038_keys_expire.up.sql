ALTER TABLE api_key ADD COLUMN expires_at timestamptz;
COMMENT ON COLUMN api_key.expires_at IS 'From then on the key is invalid; null: it does not expire.';
