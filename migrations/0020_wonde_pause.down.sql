DROP TABLE wonde_pause;
