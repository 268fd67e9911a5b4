DROP TABLE fetched_page;
