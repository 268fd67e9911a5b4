//! mis-sync-testing
