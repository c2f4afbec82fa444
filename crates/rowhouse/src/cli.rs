//! The command line: the commands, their arguments, and which function each is.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::output::print;
use crate::settings::{self, Settings};
use crate::{Failed, Outcome, commands, serve};

/// The command line as it is shown and parsed.
pub(crate) fn command() -> Command {
    Command::new("rowhouse")
        .about("One server, many tenants: every organisation has its own front door.")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_settings("serve", "Starts the server"))
        .subcommand(group("config", "Looks at the settings").subcommand(with_settings(
            "check",
            "Explains mistakes in the settings and shows what is in force, and why",
        )))
        .subcommand(Command::new("openapi").about("Prints the OpenAPI document of the HTTP API"))
        .subcommand(
            group("docs", "Prints the parts of the documentation that are made from the program")
                .subcommand(Command::new("errors").about("The codes of errors"))
                .subcommand(Command::new("settings").about("The settings")),
        )
        .subcommand(Command::new("version").about("Prints the version"))
}

fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).subcommand_required(true).arg_required_else_help(true)
}

fn with_settings(name: &'static str, about: &'static str) -> Command {
    settings::flags(Command::new(name).about(about))
}

/// Makes a command print JSON on demand.
fn or_json(command: Command) -> Command {
    command.arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Prints JSON for programs"))
}

/// Runs the command that was asked for.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    match path_of(matches) {
        (["serve", ""], matches) => {
            let (settings, warnings) = settings_of(matches)?;
            serve::serve(&settings, &warnings)
        }
        (["config", "check"], matches) => commands::config::check(matches),
        (["openapi", ""], _) => say(server::openapi::document()),
        (["docs", "errors"], _) => say(commands::docs::errors()),
        (["docs", "settings"], _) => say(settings::document()),
        (["version", ""], _) => say(commands::docs::version()),
        (path, _) => unreachable!("clap lets no other command through: {path:?}"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it ends an arm of a match beside commands that can fail")]
fn say(text: String) -> Outcome {
    print(text);
    Ok(())
}

/// The names of the command that was asked for, and its arguments.
fn path_of(matches: &ArgMatches) -> ([&str; 2], &ArgMatches) {
    match matches.subcommand() {
        None => (["", ""], matches),
        Some((first, inner)) => match inner.subcommand() {
            None => ([first, ""], inner),
            Some((second, inner)) => ([first, second], inner),
        },
    }
}

/// The settings in force, and what should be looked at.
fn settings_of(matches: &ArgMatches) -> Outcome<(Settings, Vec<String>)> {
    let loaded = settings::from_command_line(matches);
    match loaded.settings {
        Some(settings) => Ok((settings, loaded.warnings)),
        None => Err(Failed::Settings(loaded.mistakes)),
    }
}
