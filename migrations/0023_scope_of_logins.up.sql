-- Teachers of a trust work at two of its schools with one address. Whether they may have an account in
-- each is the installation's choice; `mis-sync migrate` brings it here, and changes the constraint
-- `staff_login` with it.
CREATE TABLE login_scope (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    unique_within text NOT NULL CHECK (unique_within IN ('installation', 'school'))
);
INSERT INTO login_scope (unique_within) VALUES ('installation');
COMMENT ON TABLE login_scope IS 'One row: within what a login is one person''s. Written by `mis-sync migrate`.';
COMMENT ON COLUMN login_scope.is_only IS 'There is one row.';
COMMENT ON COLUMN login_scope.unique_within IS '`installation`: staff_login is over (login); `school`: over (school_id, login).';
