-- The person who logs in: $1 is what they typed as their email, $2 the school, or NULL if logins are
-- unique in the whole installation. An inactive person is found too, because a refresh may restore them.
SELECT id, school_id, active, password_hash, password_reset_required
FROM staff
WHERE email_key = lower(normalize(trim($1))) AND ($2::text IS NULL OR school_id = $2)
ORDER BY active DESC, updated_at DESC, id
LIMIT 1
