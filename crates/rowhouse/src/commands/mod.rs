//! The commands beside `serve`, a file each.

pub(crate) mod config;
pub(crate) mod docs;
