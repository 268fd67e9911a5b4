-- Forgot Password: $1 is the person, $2 the hash of the new password (password_hash() of PHP).
UPDATE staff SET password_hash = $2, password_reset_required = false
WHERE id = $1 AND active
