ALTER TABLE stage_match DROP COLUMN matched_by;
DROP TABLE stage_left_out;
DROP TABLE mis_reading;
DROP TABLE mis_person;
