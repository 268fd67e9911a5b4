DROP INDEX school_by_wonde_id, school_wonde_id;
