//! `rowhouse migrate`: brings all data to the newest schema, or prints the SQL that does.

use std::fmt::Write;

use store::Engine;
use store::migrate::{BOOTSTRAP, Roles};
use store::schema::Part;

use crate::output::{Columns, print};
use crate::settings::Settings;
use crate::{Failed, Outcome, because, open};

pub(crate) fn migrate(settings: &Settings) -> Outcome {
    // Looked at before the lock, which makes the folder.
    open::existing(settings)?;
    let _lock = open::lock(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(because)?;
    runtime.block_on(async {
        let store = open::migrated(settings, settings.public_address(settings.listen)).await?;
        let migrated = store.migrate_organisations().await?;
        let mut columns = Columns::default();
        for part in Part::ALL {
            columns.row([part.as_str(), part.newest(), &store.schema_hash(part).await?]);
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

/// The SQL of one engine or of both, in the order in which it runs. It notes what it did as the server would, so that the server
/// goes on from there.
pub(crate) fn sql(settings: &Settings, engine: &str) -> Outcome<String> {
    let mut text = String::new();
    if engine != "postgres" {
        for part in Part::ALL {
            for step in part.steps() {
                let (name, number) = (step.name, step.number);
                let _ = writeln!(
                    text,
                    "-- sqlite, {}: {name}\n\n{}\nPRAGMA user_version = {number};\n",
                    part.as_str(),
                    step.sqlite
                );
            }
        }
    }
    if engine != "sqlite" {
        let roles = Roles::with_prefix(&settings.database_role_prefix.0)?;
        let _ = writeln!(
            text,
            "-- postgres: bootstrap, with the roles {}, {}, {}, {}; the server gives them their passwords\n\nBEGIN;",
            roles.app, roles.control, roles.ops, roles.eraser
        );
        let _ = writeln!(text, "{}\n{}", roles.creation(), roles.fill_in(BOOTSTRAP));
        for part in Part::ALL {
            for step in part.steps() {
                let (namespace, part, name) = (part.namespace(), part.as_str(), step.name);
                let _ = writeln!(
                    text,
                    "-- postgres, {part}: {name}\n\nSET LOCAL search_path = {namespace};\n{}",
                    step.postgres
                );
                let _ = writeln!(
                    text,
                    "INSERT INTO control.migrations (part, number, name, hash, at)\n\
                     VALUES ('{part}', {}, '{name}', '{}', (extract(epoch FROM now()) * 1000000)::bigint);\n",
                    step.number,
                    step.hash()
                );
            }
        }
        let _ = writeln!(text, "COMMIT;");
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
         prints the SQL itself, for `psql` with the owner's rights or for SQLite. A migration is never changed once it was released; the\n\
         next one has the next number.\n\n\
         Whichever way was taken, the schema is the same, and so is its hash: that of all tables, columns, keys, indexes and references\n\
         as the database tells them, and of how many conditions each table has. PostgreSQL's leading `org_id` is left out, so both\n\
         engines have the same hash, too. `rowhouse migrate` prints it, `rowhouse doctor` compares it with what the migrations make,\n\
         in each organisation's file too, and operators read it at `GET /api/v1/operator/schema`; a page for it comes with the web\n\
         interface.\n",
    );
    for part in Part::ALL {
        let what = match part {
            Part::Control => "The control database",
            Part::Org => "An organisation's store",
            Part::Ledger => "The books of all organisations",
        };
        let _ = writeln!(text, "\n## {what} (`{}`)\n\n| number | name | brings |\n|---|---|---|", part.as_str());
        for step in part.steps() {
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
