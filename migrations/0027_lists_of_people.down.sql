DROP VIEW named_issue;
DROP TRIGGER subject_updated ON subject;
DROP TRIGGER class_updated ON class;
DROP TRIGGER staff_updated ON staff;
DROP FUNCTION set_updated_at;
