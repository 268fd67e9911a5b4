ALTER TABLE job_attempt DROP COLUMN comparing_at;
DROP INDEX job_sync_by_school;
DROP TABLE saved_view;
DROP TABLE dashboard_session;
