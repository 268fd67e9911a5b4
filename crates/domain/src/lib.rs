//! mis-sync-domain
