DROP INDEX job_next;
