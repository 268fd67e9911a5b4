DROP TABLE alert_attempt, alert_message, alert;
DROP INDEX job_last_sync;
ALTER TABLE school
    DROP COLUMN migrating_from,
    DROP COLUMN migrating_to,
    DROP COLUMN migration_noted_at,
    DROP COLUMN migration_completed;
DROP TABLE webhook_event, school_schedule;
