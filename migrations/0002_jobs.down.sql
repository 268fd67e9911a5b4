DROP TABLE idempotency_key;
DROP TABLE job_change;
DROP TABLE job_issue;
DROP TABLE job_attempt;
DROP TABLE job;
DROP SEQUENCE job_fence;
DROP TABLE api_key;
