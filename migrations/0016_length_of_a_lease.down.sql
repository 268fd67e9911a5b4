DROP FUNCTION lease_is_over;
ALTER TABLE job DROP COLUMN lease_length;
