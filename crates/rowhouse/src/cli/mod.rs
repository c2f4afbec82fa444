//! The command line: the commands, their arguments, and which function each is. Those that ask a server stand in `remote.rs`.

mod remote;

use std::path::Path;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::output::print;
use crate::settings::{self, Settings};
use crate::{Failed, Outcome, commands, isolation, serve};

/// The command line as it is shown and parsed.
pub(crate) fn command() -> Command {
    Command::new("rowhouse")
        .about("One server, many tenants: every organisation has its own front door.")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_settings("serve", "Starts the server"))
        .subcommand(or_json(
            with_settings("demo", "Makes the demo world").arg(flag("verify", "Checks that it is as it was made")),
        ))
        .subcommand(
            with_settings("migrate", "Brings all data to the newest schema").arg(
                Arg::new("print")
                    .long("print")
                    .value_name("ENGINE")
                    .num_args(0..=1)
                    .default_missing_value("both")
                    .value_parser(["sqlite", "postgres", "both"])
                    .help("Prints the SQL instead"),
            ),
        )
        .subcommand(or_json(with_settings(
            "doctor",
            "Checks keys, files, schemas, organisations and their audit chains",
        )))
        .subcommand(group("config", "Looks at the settings").subcommand(with_settings(
            "check",
            "Explains mistakes in the settings and shows what is in force, and why",
        )))
        .subcommand(
            group("audit", "Looks at the audit log").subcommand(or_json(
                with_settings("verify", "Walks the audit chains and compares them with their signed heads")
                    .arg(Arg::new("org").long("org").value_name("ORG").help("Only this organisation's")),
            )),
        )
        .subcommand(
            group("usage", "Looks at the books").subcommand(or_json(
                with_settings("verify", "Recomputes what each call cost and what each counter says")
                    .arg(Arg::new("org").long("org").value_name("ORG").help("Only this organisation's")),
            )),
        )
        .subcommand(
            group("operator", "Looks after those who run the installation").subcommand(
                with_settings("create", "Makes an operator, who can then sign in")
                    .arg(
                        Arg::new("email").long("email").value_name("ADDRESS").required(true).help("Their mail address"),
                    )
                    .arg(Arg::new("name").long("name").value_name("NAME").required(true).help("What they are called"))
                    .arg(
                        Arg::new("password_file")
                            .long("password-file")
                            .value_name("FILE")
                            .help("A file that holds their password; asked for, or read from a pipe, when left out"),
                    ),
            ),
        )
        .subcommand(
            group("keys", "Changes keys")
                .subcommand(with_settings("rotate-master", "Makes a new master key; servers may go on meanwhile"))
                .subcommand(with_settings("rotate-signing", "Makes a new key that signs access tokens")),
        )
        .subcommand(
            group("mail", "Reads the outbox")
                .subcommand(or_json(with_settings("list", "The newest mails")))
                .subcommand(or_json(
                    with_settings("show", "A mail with its text")
                        .arg(Arg::new("id").value_name("ID").required(true).help("The mail's id, mai_...")),
                )),
        )
        .subcommand(
            group("erasure", "Reads the receipts of what was erased")
                .subcommand(or_json(with_settings("list", "The receipts, the newest first")))
                .subcommand(or_json(with_settings(
                    "verify",
                    "Checks each receipt's signature, and that nothing is left",
                ))),
        )
        .subcommand(
            group("auth", "Looks into refusals").subcommand(or_json(
                with_settings("explain", "Which check refused a request").arg(
                    Arg::new("id")
                        .value_name("REQUEST")
                        .required(true)
                        .help("The request's id, as its answer told, req_..."),
                ),
            )),
        )
        .subcommand(isolation())
        .subcommands(remote::commands())
        .subcommand(Command::new("openapi").about("Prints the OpenAPI document of the HTTP API"))
        .subcommand(
            group("docs", "Prints the parts of the documentation that are made from the program")
                .subcommand(Command::new("matrix").about("Which role may do what"))
                .subcommand(Command::new("errors").about("The codes of errors"))
                .subcommand(Command::new("settings").about("The settings"))
                .subcommand(Command::new("migrations").about("The migrations")),
        )
        .subcommand(Command::new("version").about("Prints the version"))
}

fn isolation() -> Command {
    group("isolation", "Tries the walls between organisations").subcommand(or_json(
        with_settings(
            "verify",
            "Makes two organisations on the server that runs, and tries to get from each at the other",
        )
        .arg(flag("live", "Takes a minute at most, from start to end: for a server that serves others"))
        .arg(
            Arg::new("within")
                .long("within")
                .value_name("SECONDS")
                .requires("live")
                .value_parser(clap::value_parser!(u64).range(isolation::SHORTEST.as_secs()..=600))
                .help("With --live: another time than a minute, from 20 seconds"),
        )
        .arg(
            Arg::new("url").long("url").value_name("URL").help("Where the server is, when not where the settings say"),
        ),
    ))
}

fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).subcommand_required(true).arg_required_else_help(true)
}

fn with_settings(name: &'static str, about: &'static str) -> Command {
    settings::flags(Command::new(name).about(about))
}

fn flag(name: &'static str, about: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(about)
}

/// Makes a command print JSON on demand.
fn or_json(command: Command) -> Command {
    command.arg(flag("json", "Prints JSON for programs"))
}

/// Runs the command that was asked for.
pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let (path, matches) = path_of(matches);
    match path {
        ["config", "check"] => return commands::config::check(matches),
        ["openapi", ""] => return say(server::openapi::document()),
        ["docs", "matrix"] => return say(commands::docs::matrix()),
        ["docs", "errors"] => return say(commands::docs::errors()),
        ["docs", "settings"] => return say(settings::document()),
        ["docs", "migrations"] => return say(commands::migrate::document()),
        ["version", ""] => return say(commands::docs::version()),
        _ => {}
    }
    if let Some(outcome) = remote::run(path, matches) {
        return outcome;
    }
    let (settings, warnings) = settings_of(matches)?;
    let settings = &settings;
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().map(String::as_str);
    let on = |name: &str| matches.try_get_one::<bool>(name).ok().flatten().is_some_and(|on| *on);
    // Clap asks for these.
    let given = |name: &str| text(name).unwrap_or_default();
    match path {
        ["serve", ""] => serve::serve(settings, &warnings),
        ["demo", ""] if on("verify") => commands::demo::verify(settings, on("json")),
        ["demo", ""] => commands::demo::build(settings),
        ["migrate", ""] => match text("print") {
            Some(engine) => say(commands::migrate::sql(settings, engine)?),
            None => commands::migrate::migrate(settings),
        },
        ["doctor", ""] => commands::doctor::doctor(settings, on("json")),
        ["audit", "verify"] => commands::audit::verify(settings, text("org"), on("json")),
        ["usage", "verify"] => commands::usage::verify(settings, text("org"), on("json")),
        ["operator", "create"] => {
            commands::operator::create(settings, given("email"), given("name"), text("password_file").map(Path::new))
        }
        ["keys", "rotate-master"] => commands::keys::rotate_master(settings),
        ["keys", "rotate-signing"] => commands::keys::rotate_signing(settings),
        ["isolation", "verify"] => {
            let within = matches.try_get_one::<u64>("within").ok().flatten();
            let within = within.map_or(isolation::LIVE, |seconds| Duration::from_secs(*seconds));
            isolation::verify(settings, text("url"), on("live").then_some(within), on("json"))
        }
        ["mail", "list"] => commands::mail::list(settings, on("json")),
        ["mail", "show"] => commands::mail::show(settings, given("id"), on("json")),
        ["erasure", "list"] => commands::erasure::list(settings, on("json")),
        ["erasure", "verify"] => commands::erasure::verify(settings, on("json")),
        ["auth", "explain"] => commands::auth::explain(settings, given("id"), on("json")),
        path => unreachable!("clap lets no other command through: {path:?}"),
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
