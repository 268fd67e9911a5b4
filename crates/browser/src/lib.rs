#![doc = include_str!("../README.md")]

mod act;
mod axe;
mod browser;
mod key;
mod look;
mod page;
mod watch;

pub use axe::{AXE, AXE_SHA256};
pub use browser::Browser;
pub use look::{LayoutShift, Look, Theme};
pub use page::{PATIENCE, Page, screenshots};
