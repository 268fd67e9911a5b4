DROP TABLE bulk_result;
