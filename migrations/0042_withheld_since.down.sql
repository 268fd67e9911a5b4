DROP TABLE withheld_data;
