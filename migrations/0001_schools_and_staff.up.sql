-- What the iP app reads: schools and their staff.

CREATE TABLE school (
    id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{1,64}$'),
    name text NOT NULL CHECK (name <> ''),
    wonde_school_id text NOT NULL CHECK (wonde_school_id <> ''),
    wonde_base_url text,
    wonde_token bytea,
    token_rejected_at timestamptz,
    mis text,
    settings jsonb NOT NULL DEFAULT '{}',
    last_synced_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE school IS 'A school of iP and how its MIS is reached through Wonde.';
COMMENT ON COLUMN school.id IS 'iP''s own key of the school.';
COMMENT ON COLUMN school.name IS 'The name people know the school by.';
COMMENT ON COLUMN school.wonde_school_id IS 'Wonde''s id of the school, for example A1930499544.';
COMMENT ON COLUMN school.wonde_base_url IS 'The school''s own Wonde address (regions differ); null: the configured one.';
COMMENT ON COLUMN school.wonde_token IS 'The school''s Wonde token, sealed with AES-256-GCM; null once disconnected.';
COMMENT ON COLUMN school.token_rejected_at IS 'When Wonde answered 401 to this token; a new token clears it.';
COMMENT ON COLUMN school.mis IS 'The MIS as the caller or Wonde spells it; null until known.';
COMMENT ON COLUMN school.settings IS 'The school''s own rules (SchoolSettings); what is left out has its default.';
COMMENT ON COLUMN school.last_synced_at IS 'End of the last sync that was applied.';
COMMENT ON COLUMN school.created_at IS 'When the school was first connected.';
COMMENT ON COLUMN school.updated_at IS 'When name, token, MIS or settings last changed.';

CREATE TABLE staff (
    id uuid PRIMARY KEY,
    school_id text NOT NULL REFERENCES school (id),
    wonde_id text,
    upi text,
    email text NOT NULL CHECK (email <> ''),
    email_key text NOT NULL GENERATED ALWAYS AS (lower(email)) STORED,
    first_name text NOT NULL,
    surname text NOT NULL,
    initials text,
    job_title text,
    non_teaching boolean NOT NULL DEFAULT false,
    line_manager_id uuid REFERENCES staff (id),
    photo_hash text,
    active boolean NOT NULL DEFAULT true,
    password_hash text NOT NULL,
    password_reset_required boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Deferrable: two people may swap addresses within one statement.
    CONSTRAINT staff_login UNIQUE (email_key) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT staff_wonde_id UNIQUE (school_id, wonde_id)
);
CREATE INDEX staff_upi ON staff (school_id, upi) WHERE upi IS NOT NULL;
CREATE INDEX staff_line_manager ON staff (line_manager_id) WHERE line_manager_id IS NOT NULL;
COMMENT ON TABLE staff IS 'The people of a school in iP. A sync creates and updates them and never deletes one.';
COMMENT ON COLUMN staff.id IS 'iP''s own key of the person (UUIDv7).';
COMMENT ON COLUMN staff.school_id IS 'The school.';
COMMENT ON COLUMN staff.wonde_id IS 'Wonde''s id of the person; null: made by hand and not linked yet.';
COMMENT ON COLUMN staff.upi IS 'Wonde''s unique person identifier; survives a re-added person.';
COMMENT ON COLUMN staff.email IS 'Work email and login, case as the MIS has it.';
COMMENT ON COLUMN staff.email_key IS 'The login as it is compared; unique over all schools.';
COMMENT ON COLUMN staff.first_name IS 'Forename of the MIS.';
COMMENT ON COLUMN staff.surname IS 'Surname.';
COMMENT ON COLUMN staff.initials IS 'Initials, by which the app shows the person.';
COMMENT ON COLUMN staff.job_title IS 'Roles of the MIS, joined by commas.';
COMMENT ON COLUMN staff.non_teaching IS 'The reverse of the MIS'' teaching staff.';
COMMENT ON COLUMN staff.line_manager_id IS 'Whom the person reports to.';
COMMENT ON COLUMN staff.photo_hash IS 'SHA-256 (hex) of the person''s picture.';
COMMENT ON COLUMN staff.active IS 'Whether the person can log in.';
COMMENT ON COLUMN staff.password_hash IS 'PHC string. On creation the hash of 256 random bits that nobody ever saw.';
COMMENT ON COLUMN staff.password_reset_required IS 'The person must press Forgot Password before the first login.';
COMMENT ON COLUMN staff.created_at IS 'When the person was created.';
COMMENT ON COLUMN staff.updated_at IS 'When a sync or the app last changed the row; unchanged rows are not written.';
