ALTER TABLE api_key DROP COLUMN expires_at;
