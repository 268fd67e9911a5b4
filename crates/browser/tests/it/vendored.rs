//! Vendored files are exactly what was published.

use std::fmt::Write;

use mis_sync_browser::{AXE, AXE_SHA256};
use ring::digest::{SHA256, digest};

#[test]
fn axe_is_the_published_file_and_the_table_says_so() {
    let mut found = String::new();
    for byte in digest(&SHA256, AXE.as_bytes()).as_ref() {
        write!(found, "{byte:02x}").unwrap();
    }
    assert_eq!(found, AXE_SHA256);
    assert!(include_str!("../../assets/README.md").contains(AXE_SHA256));
    assert!(AXE.starts_with("/*! axe v4.14.1\n"));
}
