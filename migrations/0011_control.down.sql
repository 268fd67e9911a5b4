DROP TABLE bulk_job, bulk, job_period, pause, worker;
DROP INDEX job_by_kind, job_of_person, job_by_error, job_by_requester, job_finished, job_failed;
