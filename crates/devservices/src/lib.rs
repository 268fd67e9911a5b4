//! mis-sync-devservices
