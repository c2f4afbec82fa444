//! Every statement of the store, prepared on both engines against the schema that it runs on, in the role that runs it.

use store::migrate::{LEDGER, ORG};

use crate::sources::{Side, Text, files, fresh, prepare, reads_catalogue, sides, tables, tables_in, texts};

/// What a tenant's statement never says. Whole words, in capitals as the store writes them, or in any case when there is no column
/// of that name.
const FORBIDDEN: &[&str] = &[
    "set_config",
    "current_setting",
    "SET ROLE",
    "ROLE",
    "AUTHORIZATION",
    "ATTACH",
    "DETACH",
    "PRAGMA",
    "VACUUM",
    "COPY",
    "GRANT",
    "TRUNCATE",
    "ALTER",
    "CREATE",
    "DROP",
    "LISTEN",
    "NOTIFY",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "pg_catalog",
    "information_schema",
    "sqlite_schema",
    "control.",
    "org.",
];

fn says(text: &str, forbidden: &str) -> bool {
    let boundary = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
    let found = |text: &str, forbidden: &str| {
        text.match_indices(forbidden).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + forbidden.len()..]);
            boundary(before.chars().next_back()) && (forbidden.ends_with('.') || boundary(after.chars().next()))
        })
    };
    // `role` is a column, `ROLE` would be a command.
    if forbidden == "ROLE" { found(text, forbidden) } else { found(&text.to_lowercase(), &forbidden.to_lowercase()) }
}

/// `org_id` may stand where an upsert names its key, and nowhere else: a tenant's statement never says whose it is.
fn names_the_organisation(text: &str) -> bool {
    let mut rest = text.to_owned();
    while let Some(at) = rest.find("ON CONFLICT (") {
        let end = rest[at..].find(')').expect("the target ends") + at;
        rest.replace_range(at..=end, "");
    }
    says(&rest, "org_id")
}

fn complaint(text: &str) -> Option<String> {
    if let Some(word) = FORBIDDEN.iter().find(|word| says(text, word)) {
        return Some(format!("says {word}"));
    }
    if names_the_organisation(text) {
        return Some("names org_id".into());
    }
    let first = text.split_whitespace().next().unwrap_or("");
    if !["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&first) {
        return Some(format!("begins with {first}"));
    }
    text.contains(';').then(|| "is more than one statement".into())
}

/// What reads the catalogue runs on the control side; the test below holds it to the files of operators' checks.
fn is_tenant(text: &str) -> bool {
    sides(text).contains(&Side::Org) && !reads_catalogue(text)
}

/// The books of all organisations may stand in one file: there each statement names the organisation, as its first parameter.
fn is_of_one_page(text: &str) -> bool {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("extract(epoch FROM", "extract(epoch of");
    // What was handed over with the statement is nobody else's.
    let words = words.replace(" FROM json_each($2)", "").replace(" FROM json_array_elements($2::json)", "");
    let read = words.matches(" FROM ").count() + words.matches(" JOIN ").count();
    let clauses = read + words.matches("UPDATE ").count() - words.matches("DO UPDATE ").count();
    let named = words.matches("org_id = $1").count();
    let own = words.contains("VALUES ($1, ") || (read == 0 && words.contains(") SELECT $1, "));
    let inserted = words.starts_with("INSERT INTO ") && words.contains(" (org_id, ") && own;
    if words.starts_with("INSERT") { inserted } else { clauses >= 1 && named == clauses }
}

#[test]
fn a_statement_on_the_books_names_the_organisation() {
    let of_the_books = |text: &String| sides(text).contains(&Side::Ledger) && !tables_in(text).is_empty();
    let mut found = 0;
    for Text { place, sqlite, postgres } in texts() {
        for text in [&sqlite, &postgres].into_iter().filter(|text| of_the_books(text)) {
            assert!(is_of_one_page(text), "{place} is not of one organisation: {text}");
            found += 1;
        }
    }
    assert!(found >= 20, "only {found} statements were found");
    for bad in [
        "SELECT id FROM entries WHERE user_id = $2",
        "SELECT id FROM entries WHERE org_id = $1 AND id IN (SELECT id FROM holds)",
        "DELETE FROM holds",
        "INSERT INTO alerts (limit_id, org_id) VALUES ($1, $2)",
        "INSERT INTO alerts (org_id, limit_id) SELECT $1, limit_id FROM balances",
        "SELECT held FROM json_each($2) w CROSS JOIN balances b WHERE b.limit_id = w.value",
        "UPDATE holds SET expires_at = $2 WHERE id = $3",
    ] {
        assert!(!is_of_one_page(bad), "{bad}");
    }
}

#[test]
fn a_tenants_statement_says_nothing_that_moves_the_walls() {
    let found = texts();
    assert!(found.len() > 100, "only {} statements were found", found.len());
    for Text { place, sqlite, postgres } in &found {
        for text in [sqlite, postgres].into_iter().filter(|text| is_tenant(text)) {
            if let Some(complaint) = complaint(text) {
                panic!("{place} {complaint}: {text}");
            }
        }
    }
    for bad in [
        "SELECT set_config('rowhouse.org', $1, false)",
        "SET ROLE postgres",
        "SELECT 1; SELECT 2",
        "SELECT id FROM teams WHERE org_id = $1",
        "INSERT INTO teams (org_id, id) VALUES ($1, $2) ON CONFLICT (org_id, id) DO NOTHING",
        "ATTACH $1 AS other",
        "pragma writable_schema = on",
        "SELECT id FROM control.people",
    ] {
        assert!(complaint(bad).is_some(), "{bad}");
    }
    assert_eq!(
        complaint("INSERT INTO configs (version) VALUES ($1) ON CONFLICT (org_id, user_id, version) DO NOTHING"),
        None
    );
}

#[test]
fn each_part_of_the_source_keeps_to_its_side() {
    for Text { place, sqlite, postgres } in texts() {
        for text in [sqlite, postgres] {
            assert!(
                !reads_catalogue(&text)
                    || ["checks.rs", "schema.rs", "walls.rs"].iter().any(|file| place.starts_with(file)),
                "{place} reads the catalogue: {text}"
            );
            let sides = sides(&text);
            assert!(
                !sides.is_empty(),
                "{place} mixes both sides or names no known table: {:?} in {text}",
                tables_in(&text)
            );
            for (folder, side) in [("control/", Side::Control), ("org/", Side::Org)] {
                assert!(
                    !place.starts_with(folder) || sides.contains(&side),
                    "{place} names the other side's tables: {text}"
                );
            }
        }
    }
}

#[test]
fn drivers_are_named_in_a_few_files_alone() {
    const ALLOWED: &[&str] = &["sql/", "files.rs", "migrate.rs", "schema.rs", "setup.rs", "lib.rs"];
    for (name, source) in files() {
        let driver =
            ["rusqlite", "tokio_postgres", "deadpool_postgres"].into_iter().find(|driver| source.contains(driver));
        if let Some(driver) = driver {
            assert!(ALLOWED.iter().any(|allowed| name.starts_with(allowed)), "{name} speaks to {driver} itself");
        }
    }
}

#[test]
fn sqlite_prepares_every_statement() {
    let databases = Side::ALL.map(|side| (side, fresh(side.steps())));
    for Text { place, sqlite, .. } in texts() {
        for side in sides(&sqlite) {
            let (_, database) = databases.iter().find(|(other, _)| *other == side).expect("both are there");
            let statement = database.prepare(&sqlite).unwrap_or_else(|error| panic!("{place} on {side:?}: {error}"));
            for at in 1..=statement.parameter_count() {
                let index = statement.parameter_index(&format!("${at}")).expect("a good name");
                assert!(index.is_some(), "{place}: ${at} is missing in {sqlite}");
            }
        }
    }
}

#[tokio::test]
async fn postgres_prepares_every_statement_in_its_role() {
    let house = testing::TestHouse::postgres().await;
    for side in Side::ALL {
        let client = house.raw_as(side.role()).await;
        for Text { place, postgres, .. } in texts() {
            if !sides(&postgres).contains(&side) {
                continue;
            }
            if let Err(why) = prepare(&client, &postgres).await {
                panic!("{place} as {}: {why}: {postgres}", side.role());
            }
            client.batch_execute("DEALLOCATE statement").await.expect("forgotten");
        }
    }
}

/// Whoever adds a table says how it is erased.
#[test]
fn every_table_of_an_organisation_is_counted_and_emptied_at_its_end() {
    for (file, steps) in [("erasure.rs", ORG), ("ledger/ending.rs", LEDGER)] {
        let texts: Vec<Text> = texts().into_iter().filter(|text| text.place.starts_with(file)).collect();
        let all = tables(&fresh(steps));
        let counted = texts
            .iter()
            .filter(|text| text.sqlite.starts_with("SELECT") && !text.sqlite.contains("user_id"))
            .flat_map(|text| tables_in(&text.sqlite));
        assert_eq!(counted.collect::<Vec<_>>(), all, "{file}");
        let mut emptied: Vec<String> = texts
            .iter()
            .filter(|text| text.postgres.starts_with("DELETE"))
            .flat_map(|text| tables_in(&text.postgres))
            .collect();
        emptied.sort();
        assert_eq!(emptied, all, "{file}");
    }
}
