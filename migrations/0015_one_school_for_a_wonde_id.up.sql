-- A school of Wonde belongs to one school of iP. One that is disconnected claims none: it has no
-- token, and another school may take its place.
DO $$
DECLARE
    shared text;
BEGIN
    SELECT string_agg(format('%s has %s', wonde_school_id, ids), '; ' ORDER BY wonde_school_id)
    INTO shared
    FROM (
        SELECT wonde_school_id, string_agg(id, ', ' ORDER BY id) AS ids FROM school
        WHERE wonde_token IS NOT NULL GROUP BY wonde_school_id HAVING count(*) > 1
    ) s;
    IF shared IS NOT NULL THEN
        RAISE EXCEPTION 'several connected schools share a Wonde id (%). Disconnect all but one of each, with the release that is running now, and migrate again.', shared;
    END IF;
END
$$;
CREATE UNIQUE INDEX school_wonde_id ON school (wonde_school_id) WHERE wonde_token IS NOT NULL;
-- What webhooks look up.
CREATE INDEX school_by_wonde_id ON school (wonde_school_id);
