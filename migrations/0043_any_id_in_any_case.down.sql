DROP INDEX job_by_short_id, staff_by_short_id;

DROP INDEX staff_by_wonde_id, staff_by_upi, mis_person_by_wonde_id, mis_person_by_upi;
CREATE INDEX staff_by_wonde_id ON staff (wonde_id) WHERE wonde_id IS NOT NULL;
CREATE INDEX staff_by_upi ON staff (upi) WHERE upi IS NOT NULL;
CREATE INDEX mis_person_by_wonde_id ON mis_person (wonde_id);
CREATE INDEX mis_person_by_upi ON mis_person (upi) WHERE upi IS NOT NULL;
