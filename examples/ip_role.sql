-- The database role of the iP app. Run it as the owner of the tables, after `mis-sync migrate`;
-- running it again after an upgrade does no harm. Set the password separately: ALTER ROLE ip_app PASSWORD '…'.
DO $$ BEGIN
    CREATE ROLE ip_app LOGIN;
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;
GRANT USAGE ON SCHEMA public TO ip_app;

-- iP reads people, classes and subjects. Of a school it reads everything except the token.
GRANT SELECT ON staff, staff_photo, class, class_staff, subject, subject_staff, department,
    department_staff, login_scope TO ip_app;
GRANT SELECT (id, name, mis, settings, last_synced_at, created_at, updated_at) ON school TO ip_app;

-- People: iP adds them by hand and changes them. The links with the MIS (wonde_id, upi, mis_values)
-- belong to mis-sync, and no one deletes a person.
GRANT INSERT (id, school_id, email, first_name, surname, initials, job_title, non_teaching,
    line_manager_id, photo_hash, active, password_hash, password_reset_required) ON staff TO ip_app;
GRANT UPDATE (email, first_name, surname, initials, job_title, non_teaching, line_manager_id,
    photo_hash, active, password_hash, password_reset_required) ON staff TO ip_app;
GRANT INSERT ON staff_photo TO ip_app;

-- Classes and subjects made by hand, and who teaches them.
GRANT INSERT (school_id, name, code, description, active), UPDATE (name, code, description, active)
    ON class, subject TO ip_app;
GRANT INSERT (subject_id), UPDATE (subject_id) ON class TO ip_app;
GRANT INSERT (class_id, staff_id, position, is_main_teacher), DELETE ON class_staff TO ip_app;
GRANT INSERT (subject_id, staff_id, position, is_main_teacher), DELETE ON subject_staff TO ip_app;

-- Departments are iP's own: no MIS delivers them.
GRANT INSERT, UPDATE, DELETE ON department, department_staff TO ip_app;

-- Foreign keys of iP's own tables may point here.
GRANT REFERENCES (id) ON school, staff, class, subject, department TO ip_app;
