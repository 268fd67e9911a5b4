//! mis-sync-cli
