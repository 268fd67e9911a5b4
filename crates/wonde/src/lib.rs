//! mis-sync-wonde
