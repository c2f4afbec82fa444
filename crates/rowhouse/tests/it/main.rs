//! The binary from outside, and the parts that only it puts together.

mod ask;
mod books;
mod clients;
mod commands;
mod demo;
mod isolation;
mod kill;
mod kill_calls;
mod kill_documents;
mod mails;
mod racing;
mod readme;
mod rotation;
mod serve;
mod shop;
mod upkeep;
mod webhooks;

/// The binary under test.
const BINARY: &str = env!("CARGO_BIN_EXE_rowhouse");

/// What a command wrote, both ways.
fn written(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
