//! `rowhouse config check`: explains every mistake, and shows what is in force and where it comes from.

use clap::ArgMatches;

use crate::output::print;
use crate::{Failed, Outcome, settings};

pub(crate) fn check(matches: &ArgMatches) -> Outcome {
    let loaded = settings::from_command_line(matches);
    let file = loaded.file.as_ref().map_or_else(|| "no file".to_owned(), |path| format!("file {}", path.display()));
    print(format!("{}\n{file} read\n", settings::explain(&loaded)));
    for warning in &loaded.warnings {
        print(format!("warning: {warning}\n"));
    }
    if loaded.mistakes.is_empty() {
        print("The settings are right.\n");
        return Ok(());
    }
    for mistake in &loaded.mistakes {
        print(format!("mistake: {mistake}\n"));
    }
    Err(Failed::Found)
}
