//! What people read: lines on standard output, columns that stand under each other, reports of checks.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::{Failed, Outcome, because};

/// Why the first text that was lost could not be written.
static LOST: OnceLock<String> = OnceLock::new();

/// Writes text to standard output. Whoever closed the pipe does not want to read on: no mistake. What is lost otherwise stops no command
/// half way: it is told at the end, by [`written`].
pub(crate) fn print(text: impl fmt::Display) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = write!(out, "{text}").and_then(|()| out.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error.to_string());
    }
}

/// Fails when something that was printed could not be written: a list that lacks its end must not pass for a whole one.
pub(crate) fn written() -> Outcome {
    match LOST.get() {
        None => Ok(()),
        Some(error) => Err(because(format!("standard output cannot be written: {error}"))),
    }
}

/// Writes JSON for programs.
pub(crate) fn print_json(value: &Value) {
    print(format!("{value:#}\n"));
}

/// Rows of cells, each column as wide as its widest cell.
#[derive(Debug, Default)]
pub(crate) struct Columns(Vec<Vec<String>>);

impl Columns {
    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.0.push(cells.map(str::to_owned).into());
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |at: usize| self.0.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.0 {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(&format!("{cell:<width$}  "));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// What a number of checks came to.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(String, Result<String, String>)>);

impl Report {
    /// Notes a check: what was found, or what is wrong.
    pub(crate) fn note(&mut self, what: impl Into<String>, outcome: Result<String, String>) {
        self.0.push((what.into(), outcome));
    }

    /// Notes a check that found faults or none.
    pub(crate) fn faults(&mut self, what: impl Into<String>, faults: &[String]) {
        self.note(what, if faults.is_empty() { Ok("nothing wrong".into()) } else { Err(faults.join("; ")) });
    }

    /// Prints it for people or for programs; fails when a check did.
    pub(crate) fn finish(self, as_json: bool) -> Outcome {
        let failed = self.0.iter().filter(|(_, outcome)| outcome.is_err()).count();
        if as_json {
            let checks = self.0.iter().map(|(what, outcome)| {
                let (Ok(found) | Err(found)) = outcome;
                json!({ "check": what, "passed": outcome.is_ok(), "found": found })
            });
            print_json(&json!({ "passed": failed == 0, "checks": checks.collect::<Vec<_>>() }));
        } else {
            let mut columns = Columns::default();
            for (what, outcome) in &self.0 {
                match outcome {
                    Ok(found) => columns.row(["pass", what, found]),
                    Err(wrong) => columns.row(["FAIL", what, wrong]),
                }
            }
            let sum = format!("{} checks, {failed} failed", self.0.len());
            print(format!("{columns}{sum}\n"));
        }
        if failed == 0 { Ok(()) } else { Err(Failed::Found) }
    }
}
