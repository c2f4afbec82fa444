//! Migrations: numbered SQL files, the same numbers on both engines, each applied once and in order.

use std::time::Duration;

use rusqlite::Connection;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::error::{Error, Result};
use crate::keys::{sha256, wrapped_by};
use crate::schema::Part;
use crate::setup::{hex, unhex};
use crate::sql::sqlite;

/// One step of a schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, from 1 without gaps.
    pub number: i64,
    /// What it brings.
    pub name: &'static str,
    /// For the embedded engine.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

impl Migration {
    /// The hash of its text for PostgreSQL, as it is noted where it was applied.
    #[must_use]
    pub fn hash(&self) -> String {
        hex(&sha256(self.postgres))
    }
}

macro_rules! migrations {
    ($part:literal: $($number:literal $name:literal),+ $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../migrations/", $part, "/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/", $part, "/postgres/", $name, ".sql")),
        }),+]
    };
}

/// The schema of the control database.
pub const CONTROL: &[Migration] = migrations!("control": 1 "0001_house");
/// The schema of an organisation's store.
pub const ORG: &[Migration] = migrations!("org": 1 "0001_house");
/// The schema of the books: a file of its own on the embedded engine, tables beside the organisations' on PostgreSQL.
pub const LEDGER: &[Migration] = migrations!("ledger": 1 "0001_ledger");
/// The migrations of all parts: those that this program knows, or in a test those that a later one will.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// Of the control database.
    pub control: &'static [Migration],
    /// Of an organisation's store.
    pub org: &'static [Migration],
    /// Of the books.
    pub ledger: &'static [Migration],
}

impl Migrations {
    /// Those that this program knows.
    pub const KNOWN: Self = Self { control: CONTROL, org: ORG, ledger: LEDGER };

    /// Those of a part.
    #[must_use]
    pub fn of(&self, part: Part) -> &'static [Migration] {
        match part {
            Part::Control => self.control,
            Part::Org => self.org,
            Part::Ledger => self.ledger,
        }
    }
}

/// Roles' rights, schemas and functions on PostgreSQL; `{app}`, `{control}`, `{ops}` and `{eraser}` stand for role names.
pub const BOOTSTRAP: &str = include_str!("../migrations/bootstrap.sql");

/// The schema that a file is of; 0 for an empty file.
pub(crate) fn version(connection: &Connection) -> Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|error| sqlite::translate(&error))
}

/// Brings a file to the newest schema, all or nothing. The number stands in `user_version`.
pub(crate) fn file(connection: &mut Connection, steps: &[Migration]) -> Result<()> {
    let run = |connection: &mut Connection| -> rusqlite::Result<Result<()>> {
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let newest = steps.last().map_or(0, |step| step.number);
        if version == newest {
            return Ok(Ok(()));
        }
        if version > newest {
            let text =
                format!("the data is of schema {version}, this program knows up to {newest}; use a newer rowhouse");
            return Ok(Err(Error::Setup(text)));
        }
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
        // Read again, now that nobody else is at it: another process may have been faster.
        let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        for step in steps.iter().filter(|step| step.number > version) {
            transaction.execute_batch(step.sqlite)?;
        }
        if version < newest {
            transaction.pragma_update(None, "user_version", newest)?;
        }
        transaction.commit()?;
        Ok(Ok(()))
    };
    run(connection).map_err(|error| sqlite::translate(&error))?
}

/// The names of the four roles on PostgreSQL.
#[derive(Debug, Clone)]
pub struct Roles {
    /// Runs tenant transactions: owns nothing, sees one organisation at a time.
    pub app: String,
    /// Runs transactions on the control schema, sees no tenant table.
    pub control: String,
    /// Reads for operators; row security holds for it too.
    pub ops: String,
    /// Erases one organisation at a time, its audit log too, and changes nothing. Row security holds for it too.
    pub eraser: String,
}

impl Roles {
    /// The names with a prefix, by default `rowhouse`.
    /// # Errors
    /// [`Error::Setup`] when the prefix is not a plain lower-case name.
    pub fn with_prefix(prefix: &str) -> Result<Self> {
        let plain = (1..=40).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !plain {
            return Err(Error::Setup("the prefix of the database roles must be 1 to 40 of a-z, 0-9 and _".into()));
        }
        let name = |what: &str| format!("{prefix}_{what}");
        Ok(Self { app: name("app"), control: name("control"), ops: name("ops"), eraser: name("eraser") })
    }

    /// A text with the names in their places.
    #[must_use]
    pub fn fill_in(&self, text: &str) -> String {
        let names =
            [("{app}", &self.app), ("{control}", &self.control), ("{ops}", &self.ops), ("{eraser}", &self.eraser)];
        names.iter().fold(text.to_owned(), |text, (place, name)| text.replace(place, name))
    }

    /// SQL that makes those of the roles that are not there. They cannot log in until the server has given them a password.
    #[must_use]
    pub fn creation(&self) -> String {
        let make = |role: &String| {
            format!(
                "DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;\n"
            )
        };
        [&self.app, &self.control, &self.ops, &self.eraser].map(make).concat()
    }
}

/// The password of a role, hexadecimal, so it needs no quoting.
pub(crate) type RolePassword<'a> = (&'a str, String);

/// How often migrating is begun again because another installation on the same server was at the same roles, and how long it waits
/// in between.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Brings a PostgreSQL database to the newest schema: roles, bootstrap and both parts, in one transaction. A first
/// server brings the wrapped house key: it is noted here, and the roles get their passwords from it, also when somebody made the
/// schema by hand. Of a database whose schema is the newest nothing is touched, unless roles cannot log in, as after a restore on
/// another server, or all is to be made anew.
///
/// Migrations of one database wait for each other under a lock. Roles belong to the whole server, where no lock reaches from one
/// database into another; so whoever meets another installation at them begins again.
pub(crate) async fn database(
    client: &mut tokio_postgres::Client,
    roles: &Roles,
    passwords: &[RolePassword<'_>],
    house_key: Option<&str>,
    migrations: &Migrations,
    now: i64,
    anew: bool,
) -> Result<Vec<String>> {
    for _ in 1..TRIES {
        match attempt(client, roles, passwords, house_key, migrations, now, anew).await {
            Err(Failure::Database(error)) if is_meeting(&error) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome.map_err(Failure::told),
        }
    }
    attempt(client, roles, passwords, house_key, migrations, now, anew).await.map_err(Failure::told)
}

/// Why an attempt ended.
enum Failure {
    Database(tokio_postgres::Error),
    Told(Error),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl Failure {
    fn told(self) -> Error {
        match self {
            Self::Told(error) => error,
            Self::Database(error) => match crate::sql::postgres::translate(&error) {
                Error::Bug(text) | Error::Refused(text) => {
                    Error::Setup(format!("a migration failed and was rolled back: {text}"))
                }
                other => other,
            },
        }
    }
}

/// Whether somebody else changed the same row of the server's catalogue at the same time. PostgreSQL has no code of its own for it,
/// and words it in the server's language; the names of its functions and indexes stay.
fn is_meeting(error: &tokio_postgres::Error) -> bool {
    let Some(error) = error.as_db_error() else { return false };
    match *error.code() {
        SqlState::INTERNAL_ERROR => error.routine().is_some_and(|routine| routine.starts_with("simple_")),
        SqlState::UNIQUE_VIOLATION => error.constraint().is_some_and(|index| index.starts_with("pg_")),
        SqlState::DUPLICATE_OBJECT | SqlState::T_R_DEADLOCK_DETECTED => true,
        _ => false,
    }
}

/// Whether all roles are there and may log in.
async fn can_log_in(
    transaction: &tokio_postgres::Transaction<'_>,
    passwords: &[RolePassword<'_>],
) -> std::result::Result<bool, tokio_postgres::Error> {
    let names: Vec<String> = passwords.iter().map(|(role, _)| format!("'{role}'")).collect();
    let text = format!("SELECT count(*) FROM pg_roles WHERE rolcanlogin AND rolname IN ({})", names.join(", "));
    let able: i64 = transaction.query_typed_one(&text, &[]).await?.get(0);
    Ok(usize::try_from(able).is_ok_and(|able| able == passwords.len()))
}

async fn attempt(
    client: &mut tokio_postgres::Client,
    roles: &Roles,
    passwords: &[RolePassword<'_>],
    house_key: Option<&str>,
    migrations: &Migrations,
    now: i64,
    anew: bool,
) -> std::result::Result<Vec<String>, Failure> {
    let told = |text: String| Failure::Told(Error::Setup(text));
    let version: i32 = client.query_typed_one("SELECT current_setting('server_version_num')::int4", &[]).await?.get(0);
    if version < 150_000 {
        return Err(told(format!("PostgreSQL 15 or newer is needed, this server is {}", version / 10_000)));
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute("SELECT pg_advisory_xact_lock(7246313250011)").await?;
    // Read from the catalogue's tables: `to_regclass` may answer from what this connection knew before it waited for the lock.
    let text = "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                               WHERE n.nspname = 'control' AND c.relname = 'migrations')";
    let known: bool = transaction.query_typed_one(text, &[]).await?.get(0);
    let mut versions = [0_i64; Part::ALL.len()];
    if known {
        for (version, part) in versions.iter_mut().zip(Part::ALL) {
            let newest = "SELECT coalesce(max(number), 0) FROM control.migrations WHERE part = $1";
            *version = transaction.query_typed_one(newest, &[(&part.as_str(), Type::TEXT)]).await?.get(0);
        }
    }
    let newest = Part::ALL.map(|part| migrations.of(part).last().map_or(0, |step| step.number));
    if versions == newest && house_key.is_none() && !anew && can_log_in(&transaction, passwords).await? {
        // Nothing is touched: roles belong to the whole server, and other databases may be at work with them.
        return Ok(Vec::new());
    }
    if versions.iter().zip(newest).any(|(version, newest)| *version > newest) {
        return Err(told("the database is of a newer schema than this program; use a newer rowhouse".into()));
    }
    transaction.batch_execute(&roles.creation()).await?;
    for (role, password) in passwords {
        let schema = if *role == roles.control { "control" } else { "org" };
        transaction
            .batch_execute(&format!(
                "ALTER ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT PASSWORD '{password}';
                 ALTER ROLE {role} SET search_path = {schema};
                 ALTER ROLE {role} SET statement_timeout = '15s';
                 ALTER ROLE {role} SET lock_timeout = '3s';
                 ALTER ROLE {role} SET idle_in_transaction_session_timeout = '10s';"
            ))
            .await?;
    }
    transaction.batch_execute(&roles.fill_in(BOOTSTRAP)).await?;
    let mut applied = Vec::new();
    for (part, version) in Part::ALL.into_iter().zip(versions) {
        let name = part.as_str();
        for step in migrations.of(part).iter().filter(|step| step.number > version) {
            transaction.batch_execute(&format!("SET LOCAL search_path = {}", part.namespace())).await?;
            transaction.batch_execute(step.postgres).await?;
            transaction
                .execute_typed(
                    "INSERT INTO control.migrations (part, number, name, hash, at) VALUES ($1, $2, $3, $4, $5)",
                    &[
                        (&name, Type::TEXT),
                        (&step.number, Type::INT8),
                        (&step.name, Type::TEXT),
                        (&step.hash(), Type::TEXT),
                        (&now, Type::INT8),
                    ],
                )
                .await?;
            applied.push(format!("{name} {}", step.name));
        }
    }
    if let Some(key) = house_key {
        let insert = "INSERT INTO control.installation (name, value, updated_at) VALUES ('house_key', $1, $2) ON CONFLICT DO NOTHING";
        if transaction.execute_typed(insert, &[(&key, Type::TEXT), (&now, Type::INT8)]).await? == 0 {
            return Err(Failure::Told(Error::Busy("another node is setting up this database; start again")));
        }
        let wrapping = wrapped_by(&unhex(key).map_err(Failure::Told)?);
        let first = "INSERT INTO control.master_keys (number, name, created_at) VALUES (1, $1, $2)";
        transaction.execute_typed(first, &[(&wrapping, Type::TEXT), (&now, Type::INT8)]).await?;
    }
    transaction.commit().await?;
    Ok(applied)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use zeroize::Zeroizing;

    use super::*;

    const OLD: Migration = Migration {
        number: 1,
        name: "0001_old",
        sqlite: "CREATE TABLE things (id INTEGER PRIMARY KEY); INSERT INTO things VALUES (7);",
        postgres: "",
    };
    const NEW: Migration = Migration {
        number: 2,
        name: "0002_new",
        sqlite: "ALTER TABLE things ADD COLUMN name TEXT; UPDATE things SET name = 'seven';",
        postgres: "",
    };
    const BROKEN: Migration =
        Migration { number: 2, name: "0002_broken", sqlite: "DELETE FROM things; SELECT nonsense;", postgres: "" };

    fn bring_up(path: &Path, steps: &[Migration]) -> Result<i64> {
        let file = sqlite::File::open(path, Zeroizing::new([7; 32]), 512, true, None)?;
        file.exclusively(|connection| {
            super::file(connection, steps)?;
            version(connection)
        })
    }

    fn count(path: &Path, text: &str) -> i64 {
        let file = sqlite::File::open(path, Zeroizing::new([7; 32]), 512, false, None).expect("opens");
        file.exclusively(|connection| Ok(connection.query_row(text, [], |row| row.get(0)).expect("counted")))
            .expect("runs")
    }

    #[test]
    fn an_older_file_is_brought_up_with_what_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("old.db");
        assert_eq!(bring_up(&path, &[OLD]).expect("made"), 1);
        assert_eq!(bring_up(&path, &[OLD, NEW]).expect("brought up"), 2);
        assert_eq!(bring_up(&path, &[OLD, NEW]).expect("nothing to do"), 2);
        assert_eq!(count(&path, "SELECT count(*) FROM things WHERE id = 7 AND name = 'seven'"), 1);
    }

    #[test]
    fn a_migration_that_fails_leaves_the_file_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("old.db");
        bring_up(&path, &[OLD]).expect("made");
        bring_up(&path, &[OLD, BROKEN]).expect_err("it is broken");
        assert_eq!(count(&path, "SELECT count(*) FROM things"), 1);
        assert_eq!(bring_up(&path, &[OLD, NEW]).expect("brought up"), 2);
    }

    #[test]
    fn a_newer_file_is_refused_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new.db");
        bring_up(&path, &[OLD, NEW]).expect("made");
        let refusal = bring_up(&path, &[OLD]).expect_err("it is newer").to_string();
        assert_eq!(refusal, "the data is of schema 2, this program knows up to 1; use a newer rowhouse");
        assert_eq!(count(&path, "SELECT count(*) FROM things WHERE name = 'seven'"), 1, "it was not touched");
    }

    const PATH: &str = "ROWHOUSE_TEST_RACE_FOR";

    #[test]
    fn processes_that_open_a_new_file_at_once_make_it_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = std::env::current_exe().expect("this test");
        for round in 0..5 {
            let path = folder.path().join(format!("{round}.db"));
            let start = || {
                let test = ["--exact", "migrate::tests::one_of_several_processes", "--ignored"];
                Command::new(&program).args(test).env(PATH, &path).output()
            };
            let racers: Vec<_> = std::thread::scope(|scope| {
                let running: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
                running.into_iter().map(|racer| racer.join().expect("joined").expect("ran")).collect()
            });
            for racer in racers {
                let told = String::from_utf8_lossy(&racer.stdout);
                assert!(racer.status.success() && told.contains("1 passed"), "{told}");
            }
            assert_eq!(count(&path, "SELECT count(*) FROM things"), 1);
        }
    }

    #[test]
    #[ignore = "a part of the test above, run by it in processes of their own"]
    fn one_of_several_processes() {
        let Some(path) = std::env::var_os(PATH) else { return };
        assert_eq!(bring_up(Path::new(&path), &[OLD, NEW]).expect("opens"), 2);
    }
}
