//! mis-sync-worker
