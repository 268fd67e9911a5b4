//! mis-sync-store
