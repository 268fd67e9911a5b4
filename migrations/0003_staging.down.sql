DROP VIEW stage_target;
DROP TABLE stage_match;
DROP TABLE stage_issue;
DROP TABLE stage_present;
DROP TABLE stage_staff;
DROP TABLE stage_fetch;
