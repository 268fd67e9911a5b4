DROP TABLE staff;
DROP TABLE school;
