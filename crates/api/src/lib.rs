//! mis-sync-api
