//! Each row says when it was made, and each change of a row leaves its time in it (decision 12). Read from the schema and from the
//! statements themselves.

use std::collections::BTreeMap;

use crate::sources::{Side, fresh, tables, texts};

/// Changes that leave no time: the table, the columns they set, and why.
const QUIET: &[(&str, &[&str], &str)] = &[
    ("audit_head", &["seq"], "the entry that it counts has the time"),
    ("audit_head", &["hash"], "the entry that it counts has the time"),
    ("people", &["password_hash"], "the same password, hashed at today's cost"),
    ("people", &["totp_step"], "the session or the step-up that the code was for has the time"),
    ("sessions", &["org_id"], "where somebody looks, not what they may; the entry session.entered has the time"),
    ("invitations", &["asked_by", "asked_hash", "asked_until"], "a question that is open until then"),
    ("mail_domains", &["hash", "hash_until"], "a question that is open until then"),
    ("balances", &["held", "settled"], "sums, derived from entries and holds"),
    ("admissions", &["times"], "counts of the quarter of a minute that the row names"),
    ("holds", &["expires_at"], "a lease, held until then"),
    ("holds", &["moved"], "that the past counts differently; what moved has the time"),
    ("sessions", &["secret_hash", "renew", "former_hash"], "the step-up that renews it sets proven_at"),
    ("sessions", &["renew"], "asks for a new secret; the change of role that asks has the time"),
    ("sessions", &["secret_hash", "former_hash", "former_until", "renew"], "the entry session.renewed has the time"),
    ("throttles", &["failures"], "set to what it was, to lock the row before it is counted"),
    ("webhook_turns", &["due_at"], "a mark of when to look, and a turn at it, taken until then"),
    ("mails", &["due_at"], "a turn at sending it, taken until then"),
    ("mails", &["tries", "due_at", "error"], "the next try is due then"),
    ("organisations", &["wrapped_key"], "part of an erasure, whose receipt has its times"),
    ("messages", &["content", "citations"], "what was deleted is taken out; the deletion has the time"),
    ("idempotency", &["status", "response"], "as above"),
    ("erasures", &["counts"], "counted between begun_at and erased_at"),
    ("organisations", &["wrapped_key", "wrapped_by"], "the same key; the entry keys.master_rotated has the time"),
    ("tenant", &["numbers"], "the rows that get the numbers, or what they are made of, have the time"),
    ("tenant", &["changes"], "what it counts has the time"),
    ("tenant", &["changes", "losses"], "what they count is gone, and its going is in the log"),
    ("tenant", &["changes", "moves"], "the document that moved has the time"),
    ("chunks", &["collection"], "as above"),
    ("vectors", &["collection"], "as above"),
    ("jobs", &["leased_until", "attempts", "epoch"], "a turn at the work, taken until then"),
    ("jobs", &["leased_until", "epoch"], "a turn at the work that nobody takes any more"),
    ("jobs", &["leased_until"], "a turn at the work, taken until then"),
    ("jobs", &["leased_until", "due_at"], "the next turn is due then"),
    ("jobs", &["leased_until", "due_at", "attempts"], "the next turn is due then, and they count anew"),
    (
        "collections",
        &["due_at"],
        "when a rule is looked at next; the entry collection.updated has the time of the rule",
    ),
    ("documents", &["text_bytes"], "counted with the passages, whose coming sets updated_at"),
    (
        "versions",
        &["content", "text_bytes"],
        "what was read of it; that it was, is noted on the document with the time",
    ),
    ("messages", &["rating", "comment", "correction"], "the entry message.rated has the time"),
];

/// Tables whose rows have no time of their own, and why.
const TIMELESS: &[(&str, &str)] = &[
    ("audit_head", "one row: the head of the chain"),
    ("admissions", "counts, by the quarter of a minute that they name"),
    ("balances", "sums of what has its times in entries and holds, by the period that they name"),
    ("recovery_codes", "made anew all together, with an entry in the log"),
    ("chunks", "made of a version, which has the time"),
    ("vectors", "made of a passage"),
];

/// Whether a column holds when something happened, not when it will.
fn is_time(column: &str) -> bool {
    column == "at"
        || column == "since"
        || (column.ends_with("_at") && !["expires_at", "closes_at", "due_at"].contains(&column))
}

fn columns(side: Side) -> BTreeMap<String, Vec<String>> {
    let database = fresh(side.steps());
    let of = |table: &String| {
        let mut statement = database.prepare("SELECT name FROM pragma_table_info(?1)").expect("prepares");
        let names = statement.query_map([table], |row| row.get(0)).expect("runs");
        names.collect::<Result<Vec<String>, _>>().expect("names")
    };
    tables(&database).into_iter().map(|table| (table.clone(), of(&table))).collect()
}

/// The tables and columns that a statement changes.
fn changes(text: &str) -> Option<(String, Vec<String>)> {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (table, rest) = if let Some((before, after)) = flat.split_once(" DO UPDATE SET ") {
        (before.split_once("INSERT INTO ")?.1.split([' ', '(']).next()?.to_owned(), after.to_owned())
    } else {
        let (_, rest) = flat.split_once("UPDATE ")?;
        let (table, rest) = rest.split_once(" SET ")?;
        (table.to_owned(), rest.to_owned())
    };
    let rest = rest.split(" WHERE ").next()?.split(" RETURNING ").next()?.to_owned();
    let mut depth = 0;
    let parts = rest.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    let set = parts.filter_map(|part| Some(part.split_once('=')?.0.trim().to_owned())).collect();
    Some((table, set))
}

#[test]
fn each_row_says_when_it_was_made() {
    let mut wrong = Vec::new();
    for side in Side::ALL {
        for (table, columns) in columns(side) {
            let told = columns.iter().any(|column| {
                ["created_at", "at", "since", "updated_at", "removed_at", "deleted_at", "begun_at", "ended_at"]
                    .contains(&column.as_str())
            });
            let timeless = TIMELESS.iter().any(|(known, _)| *known == table);
            if told == timeless {
                wrong.push(format!("{table}: {columns:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_change_of_a_row_leaves_its_time() {
    let mut seen = vec![false; QUIET.len()];
    let mut wrong = Vec::new();
    let mut count = 0;
    for text in texts() {
        for written in [&text.sqlite, &text.postgres] {
            let Some((table, set)) = changes(written) else { continue };
            count += 1;
            let quiet = QUIET.iter().position(|(known, columns, _)| *known == table && set == *columns);
            if let Some(at) = quiet {
                seen[at] = true;
                continue;
            }
            let told = set.iter().any(|column| is_time(column));
            // What people edit says when, whatever else the row says.
            let edited = !set.contains(&"version".to_owned()) || set.contains(&"updated_at".to_owned());
            if !(told && edited) {
                wrong.push(format!("{} changes {table} and leaves no time: {set:?}", text.place));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 60, "only {count} changes are seen");
    assert!(
        seen.iter().all(|seen| *seen),
        "{:?}",
        QUIET.iter().zip(seen).filter(|(_, seen)| !seen).collect::<Vec<_>>()
    );
}
