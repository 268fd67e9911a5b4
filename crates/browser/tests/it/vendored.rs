//! Vendored files are exactly what was published.

use mis_sync_browser::{AXE, AXE_SHA256};
use ring::digest::{SHA256, digest};

#[test]
fn axe_is_the_published_file_and_the_table_says_so() {
    assert_eq!(hex::encode(digest(&SHA256, AXE.as_bytes())), AXE_SHA256);
    assert!(include_str!("../../assets/README.md").contains(AXE_SHA256));
    assert!(AXE.starts_with("/*! axe v4.14.1\n"));
}
