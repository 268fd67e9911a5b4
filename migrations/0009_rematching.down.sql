DROP TABLE match_decision;
DROP TABLE match_candidate;
