-- A page lives for seconds. To compress its records took longer than to write them.
ALTER TABLE fetched_page ALTER COLUMN records SET STORAGE EXTERNAL;
