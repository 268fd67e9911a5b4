-- People are found by the beginning of any word of their names, whoever wrote the row.
CREATE FUNCTION folded_name(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- An entry of the index must not exceed 2 kB, however long a name is. Only a database in UTF-8 can
    -- take accents apart; in another, only names without accents are found, and nothing fails.
    SELECT CASE current_setting('server_encoding') WHEN 'UTF8' THEN left(replace(replace(replace(translate(
        lower(regexp_replace(normalize(left(name, 400), NFKD), '[\u0300-\u036f]', '', 'g')),
        'øłđðı', 'olddi'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 500)
    ELSE lower(left(name, 400)) END
$$;
COMMENT ON FUNCTION folded_name IS 'A name without accents and capitals, as it is searched for. mis_sync_domain::NameQuery does the same.';

CREATE FUNCTION name_words(name text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- Each part of a name (O'Brien: o, brien), and the whole (obrien).
    SELECT array_to_tsvector(string_to_array(trim(regexp_replace(
            folded || ' ' || regexp_replace(folded, '[''’ʼ‘`.‐‑–-]', '', 'g'),
            '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000]+', ' ', 'g')), ' '))
    FROM (SELECT public.folded_name(name)) AS f (folded)
$$;
COMMENT ON FUNCTION name_words IS 'The words by which a name is found.';

CREATE INDEX staff_by_name ON staff USING gin
    (name_words(first_name || ' ' || surname || ' ' || coalesce(initials, ''))) WITH (fastupdate = off);
COMMENT ON INDEX staff_by_name IS 'Finds a person by the beginnings of the words of their name.';

-- People are also found by any id, in whichever school they are.
CREATE INDEX staff_by_wonde_id ON staff (wonde_id) WHERE wonde_id IS NOT NULL;
CREATE INDEX staff_by_upi ON staff (upi) WHERE upi IS NOT NULL;
CREATE INDEX mis_person_by_wonde_id ON mis_person (wonde_id);
CREATE INDEX mis_person_by_email ON mis_person (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX mis_person_by_upi ON mis_person (upi) WHERE upi IS NOT NULL;

-- The history of a person has its lines of the audit log.
CREATE INDEX audit_log_of_person ON audit_log (staff_id, position DESC) WHERE staff_id IS NOT NULL;
