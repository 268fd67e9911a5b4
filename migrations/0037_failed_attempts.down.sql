DROP INDEX job_attempt_failed;
