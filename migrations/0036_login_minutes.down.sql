DROP TABLE login_minute;
