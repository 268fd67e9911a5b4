-- Fails where people of two schools share a login: set logins.unique_within to "installation" first.
ALTER TABLE staff DROP CONSTRAINT staff_login,
    ADD CONSTRAINT staff_login UNIQUE (login) DEFERRABLE INITIALLY IMMEDIATE;
DROP TABLE login_scope;
