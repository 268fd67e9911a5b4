//! mis-sync-wonde-sim
