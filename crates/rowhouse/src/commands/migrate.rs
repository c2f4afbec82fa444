//! `rowhouse migrate`: brings all data to the newest schema, or prints the SQL that does.

use std::fmt::Write;

use store::Engine;
use store::migrate::{BOOTSTRAP, CONTROL, Migration, ORG, Roles};

use super::on_store_or_new;
use crate::output::{Columns, print};
use crate::settings::Settings;
use crate::{Failed, Outcome, open};

const PARTS: [(&str, &[Migration]); 2] = [("control", CONTROL), ("org", ORG)];

pub(crate) fn migrate(settings: &Settings) -> Outcome {
    let _lock = open::lock(settings)?;
    on_store_or_new(settings, async |store| {
        let migrated = store.migrate_organisations().await?;
        let mut columns = Columns::default();
        for (part, steps) in PARTS {
            let newest = steps.last().map_or_else(String::new, |step| step.name.to_owned());
            columns.row([part, &newest]);
        }
        print(columns);
        let done = match (store.engine(), migrated.opened, migrated.stragglers.len()) {
            (Engine::Postgres, ..) => "The database is up to date.".to_owned(),
            (_, 0, 0) => "All organisations were up to date; none was opened.".to_owned(),
            (_, opened, 0) => format!("{opened} organisations are up to date."),
            (_, opened, behind) => format!("{opened} organisations are up to date, {behind} are not:"),
        };
        print(format!("{done}\n"));
        let mut columns = Columns::default();
        for (org, why) in &migrated.stragglers {
            columns.row(["", &org.to_string(), why]);
        }
        print(columns);
        if migrated.stragglers.is_empty() { Ok(()) } else { Err(Failed::Found) }
    })
}

/// The SQL of one engine or of both, in the order in which it runs.
pub(crate) fn sql(settings: &Settings, engine: &str) -> Outcome<String> {
    let mut text = String::new();
    if engine != "postgres" {
        for (part, steps) in PARTS {
            for step in steps {
                let _ = writeln!(text, "-- sqlite, {part}: {}\n\n{}", step.name, step.sqlite);
            }
        }
    }
    if engine != "sqlite" {
        let roles = Roles::with_prefix(&settings.database_role_prefix.0)?;
        let bootstrap =
            BOOTSTRAP.replace("{app}", &roles.app).replace("{control}", &roles.control).replace("{ops}", &roles.ops);
        let _ =
            writeln!(text, "-- postgres: bootstrap, with the roles {}, {}, {}\n", roles.app, roles.control, roles.ops);
        let _ = writeln!(text, "{bootstrap}");
        for (part, steps) in PARTS {
            for step in steps {
                let _ = writeln!(
                    text,
                    "-- postgres, {part}: {}\n\nSET search_path = {part};\n{}",
                    step.name, step.postgres
                );
            }
        }
    }
    Ok(text)
}

/// docs/MIGRATIONS.md.
pub(crate) fn document() -> String {
    let mut text = String::from(
        "# Migrations\n\n\
         Written by `rowhouse docs migrations`; do not edit.\n\n\
         Both engines have the same migrations under the same numbers. The server applies them when it starts: to the control database\n\
         at once, to an organisation's file when it is opened, to PostgreSQL in one transaction. `rowhouse migrate` applies them without\n\
         starting a server and names organisations that stay behind; run again, it goes on where it stopped. `rowhouse migrate --print`\n\
         prints the SQL itself. A migration is never changed once it was released; the next one has the next number.\n",
    );
    for (part, steps) in PARTS {
        let what = if part == "control" { "The control database" } else { "An organisation's store" };
        let _ = writeln!(text, "\n## {what} (`{part}`)\n\n| number | name | brings |\n|---|---|---|");
        for step in steps {
            let tables: Vec<String> = step
                .postgres
                .lines()
                .filter_map(|line| line.strip_prefix("CREATE TABLE "))
                .filter_map(|rest| rest.split_whitespace().next())
                .map(|table| format!("`{table}`"))
                .collect();
            let brings = if tables.is_empty() { "changes to what is there".to_owned() } else { tables.join(", ") };
            let _ = writeln!(text, "| {} | {} | {brings} |", step.number, step.name);
        }
    }
    text
}
