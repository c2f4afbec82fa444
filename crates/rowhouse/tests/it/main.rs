//! The binary from outside, and the parts that only it puts together.

mod administering;
mod ask;
mod books;
mod clients;
mod commands;
mod demo;
mod isolation;
mod kill;
mod kill_calls;
mod kill_documents;
mod kill_embedding;
mod kill_moves;
mod kill_sources;
mod mails;
mod racing;
mod readme;
mod rotation;
mod serve;
mod shop;
mod stops;
mod upkeep;
mod webhooks;

use testing::process::written;

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_rowhouse");
/// Where packages from registries are kept from one run to the next.
const TOGETHER: &str = env!("CARGO_TARGET_TMPDIR");
