//! mis-sync-queue
