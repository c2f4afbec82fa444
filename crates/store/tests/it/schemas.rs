//! The two engines' schemas, read from their catalogues and compared: what is true on one must be true on the other. In the
//! organisations' part `org_id` leads every key on PostgreSQL; where a file is the organisation there is no such column.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use store::schema::{Part, hash_of_sql};
use tokio_postgres::Client;

use crate::sources::{Side, fresh};

#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    /// Name, family of the type, whether a value must be there, whether there is a default.
    columns: BTreeMap<String, (Family, bool, bool)>,
    primary_key: Vec<String>,
    unique: BTreeSet<Vec<String>>,
    /// Name, columns, whether it covers some rows only.
    indexes: BTreeSet<(String, Vec<String>, bool)>,
    /// Columns, the other table, its columns, what a deletion there does.
    foreign_keys: BTreeSet<(Vec<String>, String, Vec<String>, String)>,
    /// The conditions, as the migrations say them.
    checks: BTreeSet<String>,
}

type Schema = BTreeMap<String, Table>;

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Family {
    Whole,
    Text,
    Bytes,
}

#[tokio::test]
async fn both_engines_have_the_same_schema() {
    let house = testing::TestHouse::postgres().await;
    let owner = house.raw().await;
    for side in Side::ALL {
        let embedded = of_sqlite(side, &fresh(side.steps()));
        let mut scaled = of_postgres(side, &owner).await;
        // The books stand beside the organisations' other tables there.
        scaled.retain(|name, _| side == Side::Control || !is_anothers(side, name));
        let names = |schema: &Schema| schema.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&embedded), names(&scaled), "the tables of {side:?}");
        for (name, table) in &embedded {
            assert_eq!(table, &scaled[name], "{side:?} {name}: SQLite, then PostgreSQL");
        }
    }
}

/// Three ways lead to a schema: the server that starts, plain SQL, the other engine. One hash comes out.
#[tokio::test]
async fn every_way_and_both_engines_give_the_same_hash() {
    let (files, scaled) = (testing::TestHouse::sqlite().await, testing::TestHouse::postgres().await);
    let ada = files.sign_up("Ada").await.org.parse().expect("an id");
    for part in Part::ALL {
        let by_hand = hash_of_sql(&part.steps().iter().map(|step| step.sqlite).collect::<String>()).expect("made");
        assert_eq!(files.store().schema_hash(part).await.expect("read"), by_hand, "{part:?} on files");
        assert_eq!(scaled.store().schema_hash(part).await.expect("read"), by_hand, "{part:?} on PostgreSQL");
    }
    assert_eq!(files.store().org_schema_hash(ada).await.expect("read"), Part::Org.expected().expect("made"));
}

#[tokio::test]
async fn each_change_of_a_schema_changes_its_hash() {
    let expected = Part::Org.expected().expect("made");
    let steps: String = Part::Org.steps().iter().map(|step| step.sqlite).collect();
    let house = testing::TestHouse::postgres().await;
    let owner = house.raw().await;
    for (sqlite, postgres) in [
        ("ALTER TABLE teams ADD COLUMN more TEXT", "ALTER TABLE org.teams ADD COLUMN more text"),
        ("DROP INDEX teams_parent", "DROP INDEX org.teams_parent"),
        ("CREATE INDEX more ON teams (name)", "CREATE INDEX more ON org.teams (org_id, name)"),
        ("CREATE UNIQUE INDEX alone ON configs (value)", "CREATE UNIQUE INDEX alone ON org.configs (org_id, value)"),
        ("ALTER TABLE roles RENAME COLUMN name TO title", "ALTER TABLE org.roles RENAME COLUMN name TO title"),
        ("DROP TABLE budgets", "DROP TABLE org.budgets"),
        ("DROP TRIGGER chunks_go", "ALTER TABLE org.chunks DROP COLUMN words"),
        (
            "CREATE TABLE more (id BLOB PRIMARY KEY REFERENCES teams (id) ON DELETE CASCADE)",
            "ALTER TABLE org.configs ADD FOREIGN KEY (org_id, user_id) REFERENCES org.projects (org_id, id)",
        ),
        (
            "ALTER TABLE configs ADD COLUMN more INTEGER CHECK (more > 0)",
            "ALTER TABLE org.configs ADD CHECK (version < 5)",
        ),
    ] {
        assert_ne!(hash_of_sql(&format!("{steps}{sqlite}")).expect("made"), expected, "{sqlite}");
        let before = house.store().schema_hash(Part::Org).await.expect("read");
        owner.batch_execute(postgres).await.expect(postgres);
        assert_ne!(house.store().schema_hash(Part::Org).await.expect("read"), before, "{postgres}");
    }
    let faults = house.store().control_faults().await.expect("checked");
    assert!(faults.iter().any(|fault| fault.contains("the schema `org` has the hash")), "{faults:?}");
}

#[test]
fn both_engines_have_the_same_migrations() {
    for side in Side::ALL {
        let numbers: Vec<i64> = side.steps().iter().map(|step| step.number).collect();
        assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<_>>(), "{side:?}: numbered without gaps");
        for step in side.steps() {
            assert!(step.name.starts_with(&format!("{:04}_", step.number)), "{}", step.name);
            assert!(!step.sqlite.is_empty() && !step.postgres.is_empty(), "{}", step.name);
        }
    }
}

#[test]
fn what_a_column_must_not_hold_is_refused_by_the_database_itself() {
    let [control, org, ledger] = Side::ALL.map(|side| fresh(side.steps()));
    for database in [&control, &org, &ledger] {
        // So that no missing parent speaks first.
        database.execute_batch("PRAGMA foreign_keys = OFF").expect("off");
    }
    let refused = |database: &Connection, text: &str| {
        let error = database.execute_batch(text).expect_err(text).to_string();
        assert!(error.contains("CHECK constraint failed"), "{text}: {error}");
    };
    refused(
        &org,
        "INSERT INTO budgets VALUES (x'01', 'team', x'02', 'day', -1, 'USD', 'hard', '[]', 0, NULL, NULL, x'03', 1, 0, 0)",
    );
    refused(&org, "INSERT INTO rate_limits VALUES (x'01', 'key', x'02', NULL, 0, NULL, NULL, x'03', 1, 0, 0)");
    let webhook =
        |rest: &str| format!("INSERT INTO webhooks VALUES (x'01', 'u', 'd', '[]', x'02', {rest}, x'03', 1, 0, 0)");
    refused(&org, &webhook("NULL, NULL, 1, 5, NULL"));
    refused(&org, &webhook("NULL, NULL, 1, 5, 'tired'"));
    refused(&org, &webhook("x'04', NULL, 1, NULL, NULL"));
    refused(&org, "INSERT INTO webhook_messages VALUES (x'01', x'02', 'e', '{}', 0, 0, 1, 1, 200, NULL, 1, 1)");
    refused(&ledger, "INSERT INTO balances VALUES (x'01', x'02', 'cost', 0, -1, 0)");
    refused(&ledger, "INSERT INTO admissions VALUES (x'01', 0, x'02', x'03', x'04', 'chat', '', 0)");
    refused(&ledger, "INSERT INTO alerts VALUES (x'01', x'02', 'cost', 0, 0, 0, NULL)");
    refused(&org, "INSERT INTO team_members VALUES (x'01', x'02', x'03', 'king', 0)");
    refused(&org, "INSERT INTO project_members VALUES (x'01', x'02', x'03', '', 0)");
    refused(&org, "INSERT INTO project_teams VALUES (x'01', x'02', 'rol_short', 0)");
    let membership = |role: &str, standing: &str| {
        format!("INSERT INTO memberships VALUES (x'01', x'02', x'03', '{role}', '{standing}', NULL, 1, 0, 0)")
    };
    refused(&control, &membership("root", "active"));
    refused(&control, &membership("owner", "dead"));
    for (status, reopens_as) in [("gone", "active"), ("closing", "erasing")] {
        refused(
            &control,
            &format!(
                "INSERT INTO organisations VALUES (x'01', 'n', 's', 'free', '{status}', 1, 'UTC', '{{}}', x'02', 'k', NULL, '{reopens_as}', NULL, NULL, x'01', 1, 0, 0)"
            ),
        );
    }
    control.execute_batch(&membership("rol_01932d6f4b7a7c3e9a51c0ffee15600d", "active")).expect("a custom role is one");
}

/// Whether a table of the organisations' schema is known to the other of the two parts in it.
fn is_anothers(side: Side, name: &str) -> bool {
    let other = if side == Side::Org { Side::Ledger } else { Side::Org };
    crate::sources::tables(&fresh(other.steps())).iter().any(|known| known == name)
}

/// The columns without the organisation's, which must come first wherever several organisations stand in one table.
fn led(side: Side, mut columns: Vec<String>, what: &str) -> Vec<String> {
    if side != Side::Control {
        assert_eq!(columns.first().map(String::as_str), Some("org_id"), "{what} does not start with org_id");
        columns.remove(0);
    }
    columns
}

fn of_sqlite(side: Side, database: &Connection) -> Schema {
    let mut checks = checks(side, |step| step.sqlite);
    let rows = |text: &str| -> Vec<Vec<String>> {
        let mut statement = database.prepare(text).expect("prepares");
        let count = statement.column_count();
        let rows = statement.query_map([], |row| (0..count).map(|at| text_of(row, at)).collect());
        rows.expect("runs").collect::<Result<_, _>>().expect("rows")
    };
    let mut schema = Schema::new();
    for name in crate::sources::tables(database) {
        let mut table = Table { checks: checks.remove(&name).unwrap_or_default(), ..Table::default() };
        let strict = rows(&format!("SELECT strict FROM pragma_table_list('{name}')"));
        assert_eq!(strict, [["1"]], "{name} is not STRICT");
        let columns = format!(
            "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk FROM pragma_table_info('{name}') ORDER BY pk"
        );
        for column in rows(&columns) {
            let family = match column[1].as_str() {
                "INTEGER" => Family::Whole,
                "TEXT" => Family::Text,
                "BLOB" => Family::Bytes,
                other => panic!("{name}.{} is of type {other}", column[0]),
            };
            table.columns.insert(column[0].clone(), (family, column[2] == "1", column[3] == "1"));
            if side == Side::Ledger && column[0] == "org_id" {
                assert_eq!(column[4], "1", "{name} does not start with org_id");
                table.columns.remove("org_id");
            } else if column[4] != "0" {
                table.primary_key.push(column[0].clone());
            }
        }
        let list = format!("SELECT name, \"unique\", origin, partial FROM pragma_index_list('{name}')");
        for index in rows(&list) {
            let made = rows(&format!("SELECT coalesce(sql, '') FROM sqlite_schema WHERE name = '{}'", index[0]));
            let columns =
                rows(&format!("SELECT coalesce(name, '') FROM pragma_index_info('{}') ORDER BY seqno", index[0]));
            let columns: Vec<String> = columns
                .into_iter()
                .map(|mut row| row.remove(0))
                .map(|column| {
                    // An expression has no name: one kind of them makes a missing value equal to a missing value.
                    if column.is_empty() {
                        made[0][0]
                            .split("ifnull(")
                            .nth(1)
                            .and_then(|rest| rest.split(',').next())
                            .expect("ifnull")
                            .to_owned()
                    } else {
                        column
                    }
                })
                .collect();
            // PostgreSQL's is left out everywhere.
            let own = usize::from(side == Side::Ledger && columns[0] == "org_id");
            let columns = columns[own..].to_vec();
            match (index[2].as_str(), index[1].as_str()) {
                ("pk", _) => {}
                (_, "1") => drop(table.unique.insert(columns)),
                _ => drop(table.indexes.insert((index[0].clone(), columns, index[3] == "1"))),
            }
        }
        let keys = format!(
            "SELECT id, \"from\", \"table\", coalesce(\"to\", ''), on_delete FROM pragma_foreign_key_list('{name}') ORDER BY id, seq"
        );
        for key in rows(&keys) {
            table.foreign_keys.insert((vec![key[1].clone()], key[2].clone(), vec![key[3].clone()], key[4].clone()));
        }
        schema.insert(name, table);
    }
    schema
}

fn text_of(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(at)? {
        rusqlite::types::ValueRef::Integer(number) => number.to_string(),
        rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => panic!("unexpected {other:?}"),
    })
}

async fn of_postgres(side: Side, owner: &Client) -> Schema {
    let mut checks = checks(side, |step| step.postgres);
    let mut schema = Schema::new();
    let name = side.schema();
    let columns =
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef, co.collname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_collation co ON co.oid = a.attcollation
        WHERE n.nspname = $1 AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> 'migrations'";
    for row in owner.query(columns, &[&name]).await.expect("columns") {
        let (table, column, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        // A table of its own in files.
        if let ("chunks", "words" | "length") = (table.as_str(), column.as_str()) {
            continue;
        }
        // What is sealed there stands plain in a file, which is encrypted whole.
        let family = match kind.trim_start_matches("org.") {
            "bigint" | "boolean" => Family::Whole,
            "text" | "sealed_text" => Family::Text,
            "uuid" | "bytea" | "sealed_bytes" => Family::Bytes,
            other => panic!("{table}.{column} is of type {other}"),
        };
        let collation: Option<String> = row.get(5);
        assert!(kind != "text" || collation.as_deref() == Some("C"), "{table}.{column} does not sort by bytes");
        let entry = schema
            .entry(table.clone())
            .or_insert_with(|| Table { checks: checks.remove(&table).unwrap_or_default(), ..Table::default() });
        if side == Side::Control || column != "org_id" {
            entry.columns.insert(column, (family, row.get(3), row.get(4)));
        }
    }
    let indexes = "SELECT c.relname, i.relname, x.indisprimary, x.indisunique, x.indpred IS NOT NULL,
          ARRAY(SELECT a.attname::text FROM unnest(x.indkey) WITH ORDINALITY k (at, place)
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.at ORDER BY k.place)
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname <> 'migrations'";
    for row in owner.query(indexes, &[&name]).await.expect("indexes") {
        let (table, index): (String, String) = (row.get(0), row.get(1));
        let columns = led(side, row.get(5), &index);
        let entry = schema.get_mut(&table).expect("a table");
        match (row.get(2), row.get(3)) {
            (true, _) => entry.primary_key = columns,
            (_, true) => drop(entry.unique.insert(columns)),
            _ => drop(entry.indexes.insert((index, columns, row.get(4)))),
        }
    }
    let keys = "SELECT c.relname, o.relname, k.confdeltype::text,
          ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (at, place)
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.at ORDER BY u.place),
          ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (at, place)
                JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.at ORDER BY u.place)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class o ON o.oid = k.confrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND k.contype = 'f'";
    for row in owner.query(keys, &[&name]).await.expect("foreign keys") {
        let (table, other): (String, String) = (row.get(0), row.get(1));
        let on_delete = match row.get::<_, &str>(2) {
            "a" => "NO ACTION",
            "c" => "CASCADE",
            "n" => "SET NULL",
            other => panic!("{table}: a deletion does {other}"),
        };
        let (from, to) = (led(side, row.get(3), &table), led(side, row.get(4), &table));
        schema.get_mut(&table).expect("a table").foreign_keys.insert((from, other, to, on_delete.to_owned()));
    }
    schema
}

/// The conditions by table as the migrations say them; what only one engine needs is left out: a boolean that is a number, and
/// the single row of a head.
fn checks(side: Side, text: impl Fn(&store::migrate::Migration) -> &'static str) -> BTreeMap<String, BTreeSet<String>> {
    let mut checks = BTreeMap::new();
    for step in side.steps() {
        let text = text(step).lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ");
        for made in text.split("CREATE TABLE ").skip(1) {
            let made = made.split(';').next().unwrap_or("");
            let name = made.split_whitespace().next().expect("a name").to_owned();
            let conditions = made.split("CHECK (").skip(1).map(|rest| {
                let mut depth = 1;
                let end = rest.find(|c| {
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    depth == 0
                });
                rest[..end.expect("the condition ends")].split_whitespace().collect::<Vec<_>>().join(" ")
            });
            let of_both = conditions.filter(|condition| !condition.ends_with("IN (0, 1)"));
            checks.entry(name).or_insert_with(BTreeSet::new).extend(of_both);
        }
    }
    checks
}
