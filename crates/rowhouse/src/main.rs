//! The one binary of Rowhouse: the server, and the commands with which an operator looks after it.

mod cli;
mod commands;
mod dashboard;
mod isolation;
mod open;
mod output;
mod serve;
mod settings;

use std::io::Write as _;
use std::process::ExitCode;

/// A call of a model makes and drops hundreds of small things: the system's allocator took a seventh of its time
/// (`docs/decisions/0002-dependencies.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a command comes to, other than success: exit code 1 when it did not succeed or found something, 2 when it was asked in a
/// way that cannot be, 3 when an organisation's documents do not answer a question.
#[derive(Debug)]
enum Failed {
    /// The settings or the command line are wrong; all mistakes, a line each.
    Settings(Vec<String>),
    /// It did not succeed: one line that says what to do.
    Because(String),
    /// It did its work and found something, which it has told already.
    Found,
    /// The documents do not answer the question, which it has told already.
    Unknown,
}

/// What a command comes to.
type Outcome<T = ()> = Result<T, Failed>;

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::Because(error.to_string())
    }
}

impl From<tenancy::Error> for Failed {
    fn from(error: tenancy::Error) -> Self {
        Self::Because(error.to_string())
    }
}

impl From<client::Error> for Failed {
    fn from(error: client::Error) -> Self {
        Self::Because(error.to_string())
    }
}

impl From<store::Stop> for Failed {
    fn from(stop: store::Stop) -> Self {
        Self::Because(stop.to_string())
    }
}

/// The argument with which a server starts itself to read documents apart; nobody types it.
pub(crate) const READER: &str = "read-documents";

fn because(text: impl std::fmt::Display) -> Failed {
    Failed::Because(text.to_string())
}

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == READER) {
        // Before any thread starts: it takes rights away from its own process.
        let done = documents::apart::child_main(&mut std::io::stdin().lock(), &mut std::io::stdout().lock());
        return if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let matches = cli::command().get_matches();
    match cli::run(&matches).and_then(|()| output::written()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed::Found) => ExitCode::FAILURE,
        Err(Failed::Unknown) => ExitCode::from(3),
        Err(Failed::Because(text)) => {
            tell(&format!("rowhouse: {text}"));
            ExitCode::FAILURE
        }
        Err(Failed::Settings(mistakes)) => {
            for mistake in mistakes {
                tell(&format!("rowhouse: {mistake}"));
            }
            tell("rowhouse: `rowhouse config check` shows the settings in force and where each comes from");
            ExitCode::from(2)
        }
    }
}

/// A line on standard error: the one place where the program complains. Where that cannot be written, the exit code says it.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
