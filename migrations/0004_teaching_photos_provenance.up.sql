-- Classes, subjects, who teaches them, pictures, departments; what the MIS said of each field.

CREATE TABLE subject (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    school_id text NOT NULL REFERENCES school (id),
    wonde_id text,
    name text NOT NULL CHECK (name <> ''),
    code text,
    description text,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT subject_wonde_id UNIQUE (school_id, wonde_id)
);
COMMENT ON TABLE subject IS 'What a school teaches. A sync never deletes one; those made by hand it leaves alone.';
COMMENT ON COLUMN subject.id IS 'iP''s own key of the subject.';
COMMENT ON COLUMN subject.school_id IS 'The school.';
COMMENT ON COLUMN subject.wonde_id IS 'Wonde''s id of the subject; null: made by hand.';
COMMENT ON COLUMN subject.name IS 'Name in the MIS.';
COMMENT ON COLUMN subject.code IS 'Short code; what the MIS leaves empty stays as it is in iP.';
COMMENT ON COLUMN subject.description IS 'Description; what the MIS leaves empty stays as it is in iP.';
COMMENT ON COLUMN subject.active IS 'False: archived, because it is gone from the MIS.';
COMMENT ON COLUMN subject.created_at IS 'When it was created.';
COMMENT ON COLUMN subject.updated_at IS 'When a sync or the app last changed the row.';

CREATE TABLE class (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    school_id text NOT NULL REFERENCES school (id),
    wonde_id text,
    name text NOT NULL CHECK (name <> ''),
    code text,
    description text,
    subject_id uuid REFERENCES subject (id),
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT class_wonde_id UNIQUE (school_id, wonde_id)
);
CREATE INDEX class_subject ON class (subject_id) WHERE subject_id IS NOT NULL;
COMMENT ON TABLE class IS 'Teaching groups of a school. A sync never deletes one; those made by hand it leaves alone.';
COMMENT ON COLUMN class.id IS 'iP''s own key of the class.';
COMMENT ON COLUMN class.school_id IS 'The school.';
COMMENT ON COLUMN class.wonde_id IS 'Wonde''s id of the class; null: made by hand.';
COMMENT ON COLUMN class.name IS 'Name in the MIS.';
COMMENT ON COLUMN class.code IS 'Short code; what the MIS leaves empty stays as it is in iP.';
COMMENT ON COLUMN class.description IS 'Description; what the MIS leaves empty stays as it is in iP.';
COMMENT ON COLUMN class.subject_id IS 'The subject, where the school imports subjects and the class has one.';
COMMENT ON COLUMN class.active IS 'False: archived, because it is gone from the MIS.';
COMMENT ON COLUMN class.created_at IS 'When it was created.';
COMMENT ON COLUMN class.updated_at IS 'When a sync or the app last changed the row.';

CREATE TABLE class_staff (
    class_id uuid NOT NULL REFERENCES class (id) ON DELETE CASCADE,
    staff_id uuid NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    position integer NOT NULL DEFAULT 0,
    is_main_teacher boolean NOT NULL DEFAULT false,
    from_mis boolean NOT NULL DEFAULT false,
    PRIMARY KEY (class_id, staff_id)
);
CREATE INDEX class_staff_by_person ON class_staff (staff_id);
COMMENT ON TABLE class_staff IS 'Who teaches a class.';
COMMENT ON COLUMN class_staff.class_id IS 'The class.';
COMMENT ON COLUMN class_staff.staff_id IS 'The person.';
COMMENT ON COLUMN class_staff.position IS 'Order in the class, main teachers first.';
COMMENT ON COLUMN class_staff.is_main_teacher IS 'A main teacher of the class.';
COMMENT ON COLUMN class_staff.from_mis IS 'True: a sync made the link and may remove it; false: made by hand.';

CREATE TABLE subject_staff (
    subject_id uuid NOT NULL REFERENCES subject (id) ON DELETE CASCADE,
    staff_id uuid NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    position integer NOT NULL DEFAULT 0,
    is_main_teacher boolean NOT NULL DEFAULT false,
    from_mis boolean NOT NULL DEFAULT false,
    PRIMARY KEY (subject_id, staff_id)
);
CREATE INDEX subject_staff_by_person ON subject_staff (staff_id);
COMMENT ON TABLE subject_staff IS 'Who teaches a subject: whoever teaches a class of it.';
COMMENT ON COLUMN subject_staff.subject_id IS 'The subject.';
COMMENT ON COLUMN subject_staff.staff_id IS 'The person.';
COMMENT ON COLUMN subject_staff.position IS 'Order in the subject, main teachers of its classes first.';
COMMENT ON COLUMN subject_staff.is_main_teacher IS 'A main teacher of a class of the subject.';
COMMENT ON COLUMN subject_staff.from_mis IS 'True: a sync made the link and may remove it; false: made by hand.';

CREATE TABLE staff_photo (
    hash text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
    content_type text NOT NULL CHECK (content_type IN ('image/jpeg', 'image/png', 'image/webp')),
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- An image is compressed already.
ALTER TABLE staff_photo ALTER COLUMN content SET STORAGE EXTERNAL;
COMMENT ON TABLE staff_photo IS 'Pictures of staff, each image once.';
COMMENT ON COLUMN staff_photo.hash IS 'SHA-256 (hex) of the content; staff.photo_hash points here.';
COMMENT ON COLUMN staff_photo.content_type IS 'image/jpeg, image/png or image/webp, as the content itself shows.';
COMMENT ON COLUMN staff_photo.content IS 'The image file.';
COMMENT ON COLUMN staff_photo.created_at IS 'When it was first stored.';

CREATE TABLE department (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    school_id text NOT NULL REFERENCES school (id),
    name text NOT NULL CHECK (name <> '')
);
COMMENT ON TABLE department IS 'Departments of a school, made in iP. No MIS delivers them.';
COMMENT ON COLUMN department.id IS 'iP''s own key of the department.';
COMMENT ON COLUMN department.school_id IS 'The school.';
COMMENT ON COLUMN department.name IS 'Its name.';

CREATE TABLE department_staff (
    department_id uuid NOT NULL REFERENCES department (id) ON DELETE CASCADE,
    staff_id uuid NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
    archived_at timestamptz,
    PRIMARY KEY (department_id, staff_id)
);
CREATE INDEX department_staff_by_person ON department_staff (staff_id) WHERE archived_at IS NULL;
COMMENT ON TABLE department_staff IS 'Who belongs to a department.';
COMMENT ON COLUMN department_staff.department_id IS 'The department.';
COMMENT ON COLUMN department_staff.staff_id IS 'The person.';
COMMENT ON COLUMN department_staff.archived_at IS 'When a sync took the person out (setting clear_departments); null: belongs to it.';

ALTER TABLE staff ADD COLUMN mis_values jsonb;
COMMENT ON COLUMN staff.mis_values IS 'What the MIS last said, field by field; a field it never delivered is left out. The line manager is a Wonde id.';

ALTER TABLE school
    ADD COLUMN changes_seen_until timestamptz,
    ADD COLUMN last_full_sync_at timestamptz,
    ADD COLUMN hierarchy_lists text CHECK (hierarchy_lists IN ('managers', 'reports'));
COMMENT ON COLUMN school.changes_seen_until IS 'Start of the last fetch that was applied: a delta asks for what changed since.';
COMMENT ON COLUMN school.last_full_sync_at IS 'Start of the last full fetch that was applied; only that one proves absence.';
COMMENT ON COLUMN school.hierarchy_lists IS 'Which way Wonde''s hierarchy points for this school, as the last full sync showed.';

ALTER TABLE job_change
    ADD COLUMN record text NOT NULL DEFAULT 'staff' CHECK (record IN ('staff', 'class', 'subject')),
    ADD COLUMN class_id uuid,
    ADD COLUMN subject_id uuid;
CREATE INDEX job_change_of_person ON job_change (staff_id, field) WHERE staff_id IS NOT NULL;
COMMENT ON COLUMN job_change.record IS 'What changed: a person, a class or a subject.';
COMMENT ON COLUMN job_change.class_id IS 'The class; null: no class, or a dry run would create it.';
COMMENT ON COLUMN job_change.subject_id IS 'The subject; null: no subject, or a dry run would create it.';

ALTER TABLE stage_fetch
    ADD COLUMN list text NOT NULL DEFAULT 'employees',
    ADD COLUMN lists_read text[] NOT NULL DEFAULT '{}',
    ADD COLUMN updated_after timestamptz,
    ADD COLUMN started_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN employment_said bigint NOT NULL DEFAULT 0,
    ADD COLUMN roles_withheld boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN stage_fetch.list IS 'Which of Wonde''s lists is being read.';
COMMENT ON COLUMN stage_fetch.lists_read IS 'Lists that were read to their end.';
COMMENT ON COLUMN stage_fetch.updated_after IS 'Only what changed after this was asked for; null: everything.';
COMMENT ON COLUMN stage_fetch.started_at IS 'What changes later than this, another fetch has to find.';
COMMENT ON COLUMN stage_fetch.employment_said IS 'Staff records that say something about the employment.';
COMMENT ON COLUMN stage_fetch.roles_withheld IS 'Nobody has a role though people had: taken for access withdrawn.';

CREATE UNLOGGED TABLE stage_teaching (
    job_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('class', 'subject')),
    wonde_id text NOT NULL,
    name text,
    code text,
    description text,
    subject_delivered boolean NOT NULL,
    subject_wonde_id text,
    staff text[],
    main_teachers integer NOT NULL,
    PRIMARY KEY (job_id, kind, wonde_id)
);
COMMENT ON TABLE stage_teaching IS 'Classes and subjects, waiting to be compared.';
COMMENT ON COLUMN stage_teaching.job_id IS 'The job.';
COMMENT ON COLUMN stage_teaching.kind IS 'class or subject.';
COMMENT ON COLUMN stage_teaching.wonde_id IS 'Wonde''s id of it; empty: a record so broken that nobody can say which it is.';
COMMENT ON COLUMN stage_teaching.name IS 'Null: it is there, but cannot be imported.';
COMMENT ON COLUMN stage_teaching.code IS 'Null: not said.';
COMMENT ON COLUMN stage_teaching.description IS 'Null: not said.';
COMMENT ON COLUMN stage_teaching.subject_delivered IS 'Whether the MIS said anything about the subject of the class.';
COMMENT ON COLUMN stage_teaching.subject_wonde_id IS 'Null and delivered: the class has no subject.';
COMMENT ON COLUMN stage_teaching.staff IS 'Wonde ids of the people who teach it, main teachers first; null: not said.';
COMMENT ON COLUMN stage_teaching.main_teachers IS 'How many of them are main teachers.';

CREATE UNLOGGED TABLE stage_photo (
    job_id uuid NOT NULL,
    wonde_id text NOT NULL,
    hash text,
    content_type text,
    content bytea,
    PRIMARY KEY (job_id, wonde_id)
);
ALTER TABLE stage_photo ALTER COLUMN content SET STORAGE EXTERNAL;
COMMENT ON TABLE stage_photo IS 'Photos, waiting to be compared.';
COMMENT ON COLUMN stage_photo.job_id IS 'The job.';
COMMENT ON COLUMN stage_photo.wonde_id IS 'Wonde''s id of the person.';
COMMENT ON COLUMN stage_photo.hash IS 'SHA-256 (hex) of the image; null: the MIS has no photo of the person.';
COMMENT ON COLUMN stage_photo.content_type IS 'As the content itself shows.';
COMMENT ON COLUMN stage_photo.content IS 'The image; null where it is stored already.';

CREATE UNLOGGED TABLE stage_gone (
    job_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('employee', 'class', 'subject')),
    wonde_id text NOT NULL,
    PRIMARY KEY (job_id, kind, wonde_id)
);
COMMENT ON TABLE stage_gone IS 'What a delta says to be gone: deleted, or no longer current.';
COMMENT ON COLUMN stage_gone.job_id IS 'The job.';
COMMENT ON COLUMN stage_gone.kind IS 'employee, class or subject.';
COMMENT ON COLUMN stage_gone.wonde_id IS 'Wonde''s id of it.';

CREATE OR REPLACE VIEW stage_target AS
SELECT
    m.job_id,
    m.wonde_id,
    m.position,
    m.staff_id,
    coalesce(t.upi, s.upi) AS upi,
    t.email,
    t.first_name,
    t.surname,
    CASE WHEN s.id IS NULL OR f.owns_initials
        THEN coalesce(t.initials, s.initials) ELSE s.initials END AS initials,
    CASE WHEN (s.id IS NULL OR f.owns_job_title) AND t.job_title_delivered AND NOT f.roles_withheld
        THEN t.job_title ELSE s.job_title END AS job_title,
    coalesce(t.non_teaching, s.non_teaching, false) AS non_teaching,
    s.id IS NULL OR s.active OR f.restores AS active,
    coalesce(s.mis_values, '{}')
        || jsonb_strip_nulls(jsonb_build_object(
            'email', t.email, 'first_name', t.first_name, 'surname', t.surname,
            'initials', t.initials, 'non_teaching', t.non_teaching))
        || CASE WHEN t.job_title_delivered AND NOT f.roles_withheld
            THEN jsonb_build_object('job_title', t.job_title) ELSE '{}' END AS mis_values
FROM stage_match m
JOIN stage_fetch f ON f.job_id = m.job_id
JOIN stage_staff t ON t.job_id = m.job_id AND t.wonde_id = m.wonde_id AND t.position = m.position
LEFT JOIN staff s ON s.id = m.staff_id
WHERE m.issue IS NULL;
