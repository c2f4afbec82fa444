//! `rowhouse operator create`: the first operator, made on the machine itself.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use domain::email::Email;
use domain::password::NewPassword;
use domain::text::PersonName;

use super::on_store_or_new;
use crate::output::print;
use crate::settings::Settings;
use crate::{Failed, Outcome, because, open};

pub(crate) fn create(settings: &Settings, email: &str, name: &str, password_file: Option<&Path>) -> Outcome {
    let wrong = |what: &str, rule: &dyn std::fmt::Display| Failed::Settings(vec![format!("{what} {rule}")]);
    let email = Email::new(email).map_err(|rule| wrong("--email", &rule))?;
    let name = PersonName::new(name).map_err(|rule| wrong("--name", &rule))?;
    let password = match password_file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| because(format!("{} cannot be read: {error}", path.display())))?,
        None => ask_password()?,
    };
    let password = NewPassword::new(password.trim_end_matches(['\r', '\n']).to_owned())
        .map_err(|rule| because(format!("the password {rule}")))?;
    on_store_or_new(settings, async |store| {
        let house = open::house(settings, store, &settings.public_address(settings.listen))?;
        let person = tenancy::operator::create(&house, email, name, password).await?;
        print(format!("{} may now sign in as an operator of this installation ({}).\n", person.email, person.id));
        Ok(())
    })
}

/// Reads a password from the terminal without showing it, or the first line of what is piped in.
fn ask_password() -> Outcome<String> {
    let terminal = std::io::stdin().is_terminal();
    if terminal {
        print("Password (12 characters or more): ");
        let _ = std::io::stdout().flush();
        echo(false);
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if terminal {
        echo(true);
        print("\n");
    }
    read.map_err(because)?;
    if line.trim().is_empty() {
        return Err(because("no password came: type one, pipe one in, or name a file with --password-file"));
    }
    Ok(line)
}

/// Whether the terminal shows what is typed. Where there is no `stty` it does, which is a pity and no danger.
fn echo(on: bool) {
    let how = if on { "echo" } else { "-echo" };
    let _ = Command::new("stty").arg(how).stdin(Stdio::inherit()).stderr(Stdio::null()).status();
}
