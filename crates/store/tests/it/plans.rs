//! How each list is found: by an index on both engines, and from the place where the page begins, never by looking through a table
//! that grows.

use testing::TestHouse;

use crate::sources::{Side, Text, fresh, prepare, sides, texts};

/// Tables that hold a row per installation or a handful: looking through them is as good as anything.
const SMALL: &[&str] = &["installation", "signing_keys", "master_keys", "audit_head", "tenant"];

/// Statements that walk an index from its end, and why they may.
const REVIEWED: &[(&str, &str)] = &[
    ("FROM refusals ORDER BY at DESC LIMIT 1 OFFSET 9999", "walks the ten thousand that are kept, one time in 64"),
    ("SELECT d.org_id FROM deliveries d JOIN organisations o", "walks a queue, which holds what is not yet done"),
];

/// Where all of an organisation's rows are taken away at its end, a step at a time, each from the beginning of a table.
const ENDING: &[&str] = &["erasure.rs", "ledger/ending.rs"];

/// The statements that give a page: `src/` names them by their LIMIT.
fn lists() -> Vec<Text> {
    let all: Vec<Text> = texts().into_iter().filter(|text| text.sqlite.contains("LIMIT")).collect();
    for (reviewed, _) in REVIEWED {
        assert!(
            all.iter().any(|text| text.sqlite.contains(reviewed)),
            "there is no such statement any more: {reviewed}"
        );
    }
    let is_reviewed = |text: &Text| REVIEWED.iter().any(|(reviewed, _)| text.sqlite.contains(reviewed));
    let is_ending = |text: &Text| ENDING.iter().any(|file| text.place.starts_with(file));
    let found: Vec<Text> = all.into_iter().filter(|text| !is_reviewed(text) && !is_ending(text)).collect();
    assert!(found.len() > 25, "only {} lists were found", found.len());
    found
}

/// What is wrong with a plan of `SQLite`, line by line. `SCAN t USING INDEX` walks an index from its end, which is good for the
/// first page alone: a page further on must be sought.
fn complaints(plan: &[String], text: &str) -> Vec<String> {
    let scans = plan.iter().filter(|line| line.starts_with("SCAN "));
    let of_growing = scans.filter(|line| {
        let table = line.split_whitespace().nth(1).unwrap_or("");
        // What a statement has selected itself, and given a name, is as long as its own limit.
        let is_named = text.split(") ").skip(1).any(|rest| rest.split([' ', ')', '\n']).next() == Some(table));
        let is_named = is_named || text.contains(&format!("WITH RECURSIVE {table} ("));
        let is_inner = is_named || table.starts_with('(') || table == "CONSTANT" || line.contains("VIRTUAL");
        !is_inner && !SMALL.contains(&table)
    });
    of_growing.cloned().collect()
}

#[test]
fn sqlite_finds_every_list_by_an_index() {
    let mut wrong = Vec::new();
    for Text { place, sqlite, .. } in lists() {
        for side in sides(&sqlite) {
            let database = fresh(side.steps());
            let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {sqlite}")).expect("prepares");
            // Raw, since a plan needs no values.
            let plan = statement.raw_query().mapped(|row| row.get::<_, String>(3));
            let plan: Vec<String> = plan.collect::<Result<_, _>>().expect("explained");
            let found = complaints(&plan, &sqlite);
            if !found.is_empty() {
                wrong.push(format!("{place} on {side:?}: {found:?}\n{sqlite}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} lists are not sought:\n{}", wrong.len(), wrong.join("\n"));
}

/// Searching the audit log for an action, an object, who did it or on whose behalf goes by an index, not through the log.
#[test]
fn sqlite_searches_the_audit_log_by_its_indexes() {
    let database = fresh(Side::Org.steps());
    for index in [
        "audit_action (action=? AND seq<?)",
        "audit_object (object=? AND seq<?)",
        "audit_actor (actor=? AND seq<?)",
        "audit_behalf (behalf=? AND seq<?)",
    ] {
        let searches = lists().into_iter().filter(|text| text.sqlite.contains("FROM audit")).any(|text| {
            let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {}", text.sqlite)).expect("prepares");
            let plan = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
            plan.expect("explained").iter().any(|line| line.contains(index))
        });
        assert!(searches, "nothing searches by {index}");
    }
}

/// The next job is the first of each organisation, whatever else waits there.
#[test]
fn sqlite_claims_a_job_without_reading_the_backlog() {
    let database = fresh(Side::Control.steps());
    let claims: Vec<Text> = lists().into_iter().filter(|text| text.sqlite.starts_with("UPDATE jobs")).collect();
    assert_eq!(claims.len(), 1, "it is there");
    let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {}", claims[0].sqlite)).expect("prepares");
    let plan = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
    let plan = plan.expect("explained");
    for sought in [
        "next USING COVERING INDEX jobs_waiting (kind=? AND org_id>?)",
        "due USING INDEX jobs_waiting (kind=? AND org_id=? AND due_at<?)",
    ] {
        assert!(plan.iter().any(|line| line.ends_with(sought)), "{sought}: {plan:?}");
    }
}

/// What one person used is found among their own rows of the books, in the log and when a limit of theirs is reckoned.
#[test]
fn sqlite_finds_the_usage_of_one_person_by_an_index() {
    let database = fresh(Side::Ledger.steps());
    let of_one = |text: &&Text| text.sqlite.contains("FROM entries") && text.sqlite.contains(" AND user_id = $");
    let found: Vec<Text> = texts().into_iter().filter(|text| of_one(&text)).collect();
    assert_eq!(found.len(), 2, "both are there");
    for text in found {
        let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {}", text.sqlite)).expect("prepares");
        let plan = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        let plan = plan.expect("explained");
        assert!(plan.iter().any(|line| line.contains("entries_user (org_id=? AND user_id=? AND ")), "{plan:?}");
    }
}

/// Few among many, each by an index of those few: collections that are in no other, conversations that are shared. And what originals
/// take is added up from an index, not from the versions with their text.
#[test]
fn sqlite_does_not_walk_through_many_for_a_few() {
    let database = fresh(Side::Org.steps());
    for (statement, index) in [
        ("FROM collections WHERE id > $1 AND within IS NULL", "collections_within (within=? AND id>?)"),
        ("SELECT count(*) FROM collections WHERE within IS NULL", "collections_within (within=?)"),
        ("WHERE access <> 'private' AND id < $1", "threads_shared (id<?)"),
        ("SELECT content_hash, size FROM versions UNION", "COVERING INDEX versions_content"),
    ] {
        let text = texts().into_iter().find(|text| text.sqlite.contains(statement)).expect(statement);
        let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {}", text.sqlite)).expect("prepares");
        let plan = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        let plan = plan.expect("explained");
        assert!(plan.iter().any(|line| line.contains(index)), "{index}: {plan:?}");
    }
}

/// What collections take is counted from their own documents and versions, not from all there are.
#[test]
fn sqlite_counts_what_collections_take_by_an_index() {
    let database = fresh(Side::Org.steps());
    let counts = |text: &&Text| text.sqlite.contains("held.embedded") || text.sqlite.contains("c.retain_days * ");
    let found: Vec<Text> = texts().into_iter().filter(|text| counts(&text)).collect();
    assert_eq!(found.len(), 2, "both are there");
    for text in found {
        let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {}", text.sqlite)).expect("prepares");
        let plan = statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>();
        let plan = plan.expect("explained");
        let scans = |table: &str| plan.iter().any(|line| line.starts_with(&format!("SCAN {table}")));
        assert!(!["documents", "d", "v", "versions"].into_iter().any(scans), "{plan:?}");
        assert!(plan.iter().any(|line| line.contains("documents_")), "{plan:?}");
    }
}

#[tokio::test]
async fn postgres_finds_every_list_by_an_index() {
    let house = TestHouse::postgres().await;
    let mut wrong = Vec::new();
    for side in Side::ALL {
        let client = house.raw_as(side.role()).await;
        // The plan for any values, and an empty table is not looked through only because it is empty.
        client.batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").await.expect("set");
        for Text { place, postgres, .. } in lists().into_iter().filter(|text| sides(&text.postgres).contains(&side)) {
            let types = prepare(&client, &postgres).await.expect("prepares");
            let values = vec!["NULL"; types.len()].join(", ");
            let explain = format!(
                "EXPLAIN EXECUTE statement{}",
                if types.is_empty() { String::new() } else { format!("({values})") }
            );
            let messages = client.simple_query(&explain).await.unwrap_or_else(|error| panic!("{place}: {error:?}"));
            client.batch_execute("DEALLOCATE statement").await.expect("forgotten");
            let plan: Vec<String> = messages
                .iter()
                .filter_map(|message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                    _ => None,
                })
                .collect();
            let looks_through = plan.iter().any(|line| {
                line.split("Seq Scan on ")
                    .nth(1)
                    .is_some_and(|rest| !SMALL.contains(&rest.split(' ').next().unwrap_or("")))
            });
            // An index that is walked from end to end has no condition.
            let sought = plan.iter().any(|line| line.contains("Index Cond"));
            if looks_through || !sought {
                wrong.push(format!("{place} on {side:?}:\n{}\n{postgres}", plan.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} lists are not sought:\n{}", wrong.len(), wrong.join("\n"));
}

/// As above, for who did it and on whose behalf.
#[tokio::test]
async fn postgres_searches_the_audit_log_for_people_by_their_indexes() {
    let house = TestHouse::postgres().await;
    let client = house.raw_as(Side::Org.role()).await;
    client.batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").await.expect("set");
    let texts: Vec<Text> = lists().into_iter().filter(|text| text.postgres.contains("behalf = $2 AND seq")).collect();
    assert_eq!(texts.len(), 1, "the search is there");
    let types = prepare(&client, &texts[0].postgres).await.expect("prepares");
    let values = vec!["NULL"; types.len()].join(", ");
    let plan = client.simple_query(&format!("EXPLAIN EXECUTE statement({values})")).await.expect("explained");
    let plan = format!("{plan:?}");
    for index in ["audit_actor", "audit_behalf"] {
        assert!(plan.contains(index), "{index} is not used: {plan}");
    }
}
