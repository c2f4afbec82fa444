//! The settings: each by flag, environment and file, read in one place and explained when they are wrong.

mod check;
mod document;
mod read;
mod table;
pub(crate) mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};

pub(crate) use document::{document, explain};
pub(crate) use read::{Loaded, Sources, load};
pub(crate) use table::Settings;
use table::TABLE;

/// The file that is read when nobody names one and it is there.
const FILE: &str = "rowhouse.toml";

/// Gives a command the flags of all settings.
pub(crate) fn flags(command: Command) -> Command {
    let flag = |key: String, about: String, value: &'static str| {
        let long = key.replace('_', "-");
        Arg::new(key).long(long).value_name(value).help(about).hide_short_help(true).help_heading("Settings")
    };
    let mut command = command.arg(
        Arg::new("config")
            .long("config")
            .value_name("FILE")
            .help("The file of settings [default: rowhouse.toml, if it is there] [env: ROWHOUSE_CONFIG]")
            .help_heading("Settings"),
    );
    for setting in TABLE {
        let default = if setting.default.is_empty() { setting.otherwise } else { setting.default };
        let about = format!("{} [default: {default}] [env: {}]", setting.about, setting.environment());
        command = command.arg(flag(setting.key.to_owned(), about.replace('`', ""), "VALUE"));
        if setting.secret {
            let about = format!("A file that holds --{} and nothing else", setting.flag());
            command = command.arg(flag(format!("{}_file", setting.key), about, "FILE"));
        }
    }
    command
}

/// Whether a variable of the environment is read: all that begin with `ROWHOUSE_`, and those that other programs know too.
fn is_ours(name: &str) -> bool {
    let named = |setting: &table::Setting| {
        let own = setting.environment();
        name == own || setting.secret && name.strip_suffix("_FILE").is_some_and(|name| name == own)
    };
    name.starts_with("ROWHOUSE_") || TABLE.iter().any(named)
}

/// Collects what was said on the command line, in the environment and in the file.
pub(crate) fn from_command_line(matches: &ArgMatches) -> Loaded {
    let text = |id: &str| matches.get_one::<String>(id).cloned();
    let mut flags = BTreeMap::new();
    for setting in TABLE {
        for (key, asked) in [(setting.key.to_owned(), true), (format!("{}_file", setting.key), setting.secret)] {
            if asked && let Some(value) = text(&key) {
                flags.insert(key, value);
            }
        }
    }
    let (environment, mut unreadable) = environment(std::env::vars_os());
    let named = text("config").or_else(|| environment.get("ROWHOUSE_CONFIG").filter(|v| !v.is_empty()).cloned());
    let path = PathBuf::from(named.as_deref().unwrap_or(FILE));
    let file = match std::fs::read_to_string(&path) {
        Ok(text) => Some((path, text)),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            unreadable.push(format!("the file of settings {} cannot be read: {error}", path.display()));
            None
        }
    };
    let mut loaded = load(&Sources { flags, environment, file });
    if !unreadable.is_empty() {
        loaded.mistakes.splice(0..0, unreadable);
        loaded.settings = None;
    }
    loaded
}

/// The variables that are read, and what is wrong with those of them that are no text. What else the environment holds is others'.
fn environment(all: impl Iterator<Item = (OsString, OsString)>) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut ours, mut unreadable) = (BTreeMap::new(), Vec::new());
    for (name, value) in all {
        let Some(name) = name.into_string().ok().filter(|name| is_ours(name)) else { continue };
        match value.into_string() {
            Ok(value) => {
                ours.insert(name, value);
            }
            Err(_) => unreadable.push(format!("{name} must be text in UTF-8")),
        }
    }
    (ours, unreadable)
}
