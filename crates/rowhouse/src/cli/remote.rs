//! The commands that ask a running server with an API key: their arguments, and which function each is.

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};

use super::{flag, group, or_json};
use crate::Outcome;
use crate::commands::remote::{Door, URL};
use crate::commands::{ask, invitations, members, org, roles};

/// All of them.
pub(super) fn commands() -> [Command; 5] {
    [asking(), organisation(), people(), inviting(), granting()]
}

fn asking() -> Command {
    or_json(
        at_server(Command::new("ask").about("Asks a server for an answer from an organisation's documents"))
            .after_help(
                "The API key is read from ROWHOUSE_API_KEY. The question is kept among the conversations of the key's person. Ends with \
                 3 when the documents do not say.",
            )
            .arg(Arg::new("question").value_name("QUESTION").required(true).help("The question"))
            .arg(option("project", "NAME", "Only this project's documents, by its name or its id"))
            .arg(
                option("collection", "NAME", "Only this collection, by its name or its id; may be given again")
                    .action(ArgAction::Append),
            ),
    )
}

fn organisation() -> Command {
    group("org", "Looks at an organisation and what it pays for, at a server")
        .subcommand(administering("show", "What it is called, and how it stands"))
        .subcommand(administering(
            "plan",
            "Its plan: what is included, what of it is used, and what differs until when",
        ))
}

fn people() -> Command {
    group("members", "Looks at the members of an organisation, at a server")
        .subcommand(administering("list", "Everybody, with their role"))
        .subcommand(administering("show", "One member, with their teams, projects and permissions").arg(person()))
}

fn inviting() -> Command {
    group("invitations", "Invites people into an organisation, at a server")
        .subcommand(
            administering("list", "The open invitations")
                .arg(flag("all", "Those too that were accepted or revoked or have ended")),
        )
        .subcommand(
            administering("create", "Invites somebody: the link is mailed, and printed this once")
                .arg(Arg::new("email").value_name("ADDRESS").required(true).help("Their mail address"))
                .arg(
                    option("role", "ROLE", "Their role in the organisation, by its name or its id")
                        .default_value("member"),
                )
                .arg(
                    option(
                        "team",
                        "TEAM=ROLE",
                        "A team to be put into, and the role there: member if it is left out; may be given again",
                    )
                    .action(ArgAction::Append),
                )
                .arg(
                    option("project", "PROJECT=ROLE", "A project to be put into, likewise; may be given again")
                        .action(ArgAction::Append),
                ),
        )
        .subcommand(
            administering("resend", "Mails a new link, and prints it this once; the old one is void").arg(invitation()),
        )
        .subcommand(administering("revoke", "Takes an invitation back; its link is void").arg(invitation()))
}

fn granting() -> Command {
    let permission =
        |name: &'static str, about: &'static str| option(name, "PERMISSION", about).action(ArgAction::Append);
    let place = |command: Command| {
        command.arg(option("team", "TEAM", "In this team, by its name or its id")).arg(option(
            "project",
            "PROJECT",
            "In this project, by its name or its id",
        ))
    };
    group("roles", "Makes roles in an organisation and gives them to people, at a server")
        .subcommand(administering("list", "All roles"))
        .subcommand(administering("show", "A role, with all that it allows").arg(role()))
        .subcommand(administering("permissions", "All permissions that a role can hold"))
        .subcommand(
            administering("create", "Makes a role")
                .arg(Arg::new("name").value_name("NAME").required(true).help("What it is called"))
                .arg(option("description", "TEXT", "What it is for"))
                .arg(permission("permission", "What it allows; may be given again").required(true)),
        )
        .subcommand(
            administering("change", "Changes a role, for all who hold it and at once")
                .arg(role())
                .arg(option("name", "NAME", "What it is to be called"))
                .arg(option("description", "TEXT", "What it is for"))
                .arg(permission("add", "What it is to allow, too; may be given again"))
                .arg(permission("remove", "What it is to allow no more; may be given again"))
                .group(
                    ArgGroup::new("changes")
                        .args(["name", "description", "add", "remove"])
                        .multiple(true)
                        .required(true),
                ),
        )
        .subcommand(administering("delete", "Deletes a role that nobody holds").arg(role()))
        .subcommand(
            place(administering("give", "Gives a member a role: in the organisation, or in a team or project"))
                .arg(role())
                .arg(person())
                .group(ArgGroup::new("place").args(["team", "project"])),
        )
        .subcommand(
            place(administering("take", "Takes a member out of a team or a project"))
                .arg(person())
                .group(ArgGroup::new("place").args(["team", "project"]).required(true)),
        )
}

fn option(name: &'static str, value: &'static str, about: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(about)
}

fn role() -> Arg {
    Arg::new("role").value_name("ROLE").required(true).help("The role, by its name or its id")
}

fn person() -> Arg {
    Arg::new("person").value_name("PERSON").required(true).help("The member, by their mail address or id")
}

fn invitation() -> Arg {
    Arg::new("invitation").value_name("INVITATION").required(true).help("The invitation, by its mail address or its id")
}

fn administering(name: &'static str, about: &'static str) -> Command {
    or_json(at_server(Command::new(name).about(about))).after_help(
        "The API key is read from ROWHOUSE_API_KEY. A key does what its scopes name: one made without naming any can look, but not invite, \
         make roles or give them.",
    )
}

fn at_server(command: Command) -> Command {
    command
        .arg(option("org", "SLUG", "The organisation, by its short label or its id").required(true))
        .arg(option("url", "URL", "Where the server is").default_value(URL))
}

/// Runs one of these commands, if it is one.
pub(super) fn run(path: [&str; 2], matches: &ArgMatches) -> Option<Outcome> {
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().map(String::as_str);
    let on = |name: &str| matches.try_get_one::<bool>(name).ok().flatten().is_some_and(|on| *on);
    let all = |name: &str| -> Vec<&str> {
        matches.try_get_many::<String>(name).ok().flatten().into_iter().flatten().map(String::as_str).collect()
    };
    // Clap asks for these.
    let given = |name: &str| text(name).unwrap_or_default();
    let door = &Door { url: text("url").unwrap_or(URL), org: given("org") };
    let json = on("json");
    let place = || match (text("team"), text("project")) {
        (Some(team), _) => Some(roles::Place::Team(team)),
        (None, project) => project.map(roles::Place::Project),
    };
    Some(match path {
        ["ask", ""] => ask::ask(&ask::Asking {
            question: given("question"),
            door: *door,
            project: text("project"),
            collections: all("collection"),
            json,
        }),
        ["org", "show"] => org::show(door, json),
        ["org", "plan"] => org::plan(door, json),
        ["members", "list"] => members::list(door, json),
        ["members", "show"] => members::show(door, given("person"), json),
        ["invitations", "list"] => invitations::list(door, on("all"), json),
        ["invitations", "create"] => {
            let offer = invitations::Offer { role: given("role"), teams: all("team"), projects: all("project") };
            invitations::create(door, given("email"), &offer, json)
        }
        ["invitations", "resend"] => invitations::resend(door, given("invitation"), json),
        ["invitations", "revoke"] => invitations::revoke(door, given("invitation"), json),
        ["roles", "list"] => roles::list(door, json),
        ["roles", "show"] => roles::show(door, given("role"), json),
        ["roles", "permissions"] => roles::permissions(door, json),
        ["roles", "create"] => roles::create(door, given("name"), text("description"), &all("permission"), json),
        ["roles", "change"] => {
            let change = roles::Change {
                name: text("name"),
                description: text("description"),
                add: all("add"),
                remove: all("remove"),
            };
            roles::change(door, given("role"), &change, json)
        }
        ["roles", "delete"] => roles::delete(door, given("role"), json),
        ["roles", "give"] => roles::give(door, given("role"), given("person"), place(), json),
        ["roles", "take"] => match place() {
            Some(place) => roles::take(door, given("person"), place, json),
            // Clap asks for one of them.
            None => Ok(()),
        },
        _ => return None,
    })
}
