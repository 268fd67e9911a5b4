-- People are found by any id, however its letters were typed.
DROP INDEX staff_by_wonde_id, staff_by_upi, mis_person_by_wonde_id, mis_person_by_upi;
-- Not partial: the planner counts the values of an expression only by an index of every row.
CREATE INDEX staff_by_wonde_id ON staff (lower(wonde_id));
CREATE INDEX staff_by_upi ON staff (lower(upi));
CREATE INDEX mis_person_by_wonde_id ON mis_person (lower(wonde_id));
CREATE INDEX mis_person_by_upi ON mis_person (lower(upi));

-- Pages show the last eight digits of an id, and people type what they see.
CREATE INDEX staff_by_short_id ON staff (right(id::text, 8));
CREATE INDEX job_by_short_id ON job (right(id::text, 8));
COMMENT ON INDEX staff_by_short_id IS 'Finds a person by the end of the id, which pages show.';
ANALYZE staff, mis_person;
COMMENT ON INDEX job_by_short_id IS 'Finds a job by the end of its id, which pages show.';
