//! `rowhouse usage verify`: books that are whole are found whole, and what was changed in them is named.

use domain::limits::{Amounts, Counted, LimitKey};
use domain::{Ambient, Id as _, OrgId};
use serde_json::{Value, json};
use store::ledger::balances::{self, Balance};
use store::ledger::entries::{self, Charge, Outcome, Search};
use store::ledger::holds::{Hold, Purpose};
use store::{Engine, Store};
use testing::process::send;
use testing::upstream::Script;

use crate::shop::{CHAT, MODEL, Owner, Shop};

#[test]
fn changed_books_are_found_on_files() {
    let (shop, ann, bob) = with_two_owners(Engine::Sqlite);
    // 20 read and 10 written come to 9.
    shop.runtime.block_on(forge(&shop, &ann, 9));
    whole(&shop, &[(&ann, 4), (&bob, 1)]);
    shop.runtime.block_on(forge(&shop, &ann, 8));
    let why = format!("attempt 1: the row says 8 micros, 0 tokens of {MODEL} by the list 2026-11+dime-1 are 9");
    broken(&shop, &ann, &bob, &why);
}

#[test]
fn a_counter_that_says_too_little_is_found_on_files() {
    let (shop, ann, bob) = with_two_owners(Engine::Sqlite);
    shop.runtime.block_on(miscount(&shop, &ann));
    broken(&shop, &ann, &bob, "the counter says 89 used and 0 held, the rows say 90 and 0");
}

#[test]
fn changed_books_are_found_on_postgres() {
    let (shop, ann, bob) = with_two_owners(Engine::Postgres);
    let raw = shop.runtime.block_on(shop.database.as_ref().expect("PostgreSQL").raw());
    let number = |owner: &Owner| owner.org.parse::<OrgId>().expect("an id").uuid();
    let change = |text: &str| {
        // As somebody does who owns the database: past the trigger that keeps the ledger append-only.
        let text = format!("SET session_replication_role = replica; {text}");
        shop.runtime.block_on(raw.batch_execute(&text)).expect("changed");
    };
    let one = |change: &str| {
        format!(
            "UPDATE org.entries SET {change} WHERE (org_id, id, attempt) =
                 (SELECT org_id, id, attempt FROM org.entries WHERE org_id = '{}' ORDER BY id LIMIT 1)",
            number(&ann)
        )
    };
    change(&one("cost_micros = cost_micros - 1"));
    let why = format!("attempt 1: the row says 8 micros, 30 tokens of {MODEL} by the list 2026-11+dime-1 are 9");
    broken(&shop, &ann, &bob, &why);
    change(&one("cost_micros = cost_micros + 1, output_tokens = output_tokens + 1000"));
    broken(&shop, &ann, &bob, "the row says 9 micros");
    change(&one("output_tokens = output_tokens - 1000"));
    whole(&shop, &[(&ann, 3), (&bob, 1)]);
    // A row that is gone is missed by the counters.
    let gone = one("").replace("UPDATE org.entries SET  WHERE", "DELETE FROM org.entries WHERE");
    change(&gone);
    broken(&shop, &ann, &bob, "the counter says 3 used and 0 held, the rows say 2 and 0");
}

/// Books with three calls of one organisation and one of another; nobody serves them any more.
fn with_two_owners(engine: Engine) -> (Shop, Owner, Owner) {
    let shop = Shop::open(engine);
    shop.upstream.script("", &Script::usage(20, 10));
    let server = shop.start();
    let (ann, bob) = (Shop::owner(&server, "Ann"), Shop::owner(&server, "Bob"));
    for (owner, calls) in [(&ann, 3), (&bob, 1)] {
        for _ in 0..calls {
            let body = json!({ "model": MODEL, "max_tokens": 10, "messages": [{ "role": "user", "content": "?" }] });
            let reply = send(&server.address, "POST", CHAT, Some(&owner.key), Some(&body)).expect("answered");
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    }
    assert_eq!(server.terminate().0, Some(0));
    whole(&shop, &[(&ann, 3), (&bob, 1)]);
    (shop, ann, bob)
}

/// All books are whole and have so many rows.
fn whole(shop: &Shop, owners: &[(&Owner, u64)]) {
    let (clean, said) = shop.verify(&[]);
    assert!(clean && said.ends_with(&format!("{} checks, 0 failed\n", owners.len())), "{said}");
    for (owner, rows) in owners {
        let line = said.lines().find(|line| line.contains(&owner.org)).expect("a line for each");
        let found = format!("{rows} rows, 0 of them at prices of no list; ");
        assert!(
            line.starts_with("pass ") && line.contains(&found) && line.ends_with(" 0 that cannot be compared"),
            "{said}"
        );
        assert!(!line.contains("; 0 counters"), "there is something to compare: {said}");
    }
}

/// One's books are broken, which is said for people and for programs; the other's are whole.
fn broken(shop: &Shop, one: &Owner, other: &Owner, why: &str) {
    let (clean, said) = shop.verify(&[]);
    assert!(!clean && said.contains(why) && said.contains("2 checks, 1 failed"), "{why}: {said}");
    let (clean, said) = shop.verify(&["--json"]);
    let report: Value = serde_json::from_str(&said).expect("JSON alone");
    assert!(!clean && report["passed"] == false, "{said}");
    let check = |owner: &Owner| {
        let checks = report["checks"].as_array().expect("a list");
        checks.iter().find(|check| check["check"] == owner.org.as_str()).expect("one for each").clone()
    };
    assert!(check(one)["passed"] == false && check(one)["found"].as_str().expect("text").contains(why), "{said}");
    assert_eq!(check(other)["passed"], true, "{said}");
    assert!(!shop.verify(&["--org", &one.org]).0 && shop.verify(&["--org", &other.org]).0);
}

async fn opened(shop: &Shop) -> Store {
    let place = store::Place::Embedded { data: shop.path().join("data"), open_files: 8, cache_kib: 512 };
    let settings = store::Settings {
        place,
        master_key_file: shop.path().join("keys/master.key"),
        audit_heads: shop.path().join("keys/audit-heads.jsonl"),
        blobs: shop.path().join("data/blobs"),
        bucket: None,
        issuer: "http://test".into(),
    };
    Store::start(&settings, Ambient::system()).await.expect("opens")
}

/// Writes a row past the books, like the last one but for what it costs. The file has a trigger against changes, and no key for others.
async fn forge(shop: &Shop, owner: &Owner, micros: i64) {
    let store = opened(shop).await;
    let scope = store.inspect(owner.org.parse().expect("an id")).await.expect("opened");
    let mut tx = store.begin_ledger(&scope).await.expect("begun");
    let mut page = tx.page(&scope).expect("its page");
    let last = entries::list(&mut page, &Search::default(), None, 1).await.expect("rows").remove(0);
    // The counters are those of the plan, which do not count money.
    let amounts = Amounts::of(Counted::Cost, micros);
    let purpose = Purpose {
        operation: last.operation,
        model: last.model,
        price: last.price,
        user_id: last.user_id,
        ..Purpose::default()
    };
    let ambient = store.ambient();
    let hold = Hold { id: ambient.id(), attempt: 1, at: ambient.now(), holder: ambient.id(), purpose, amounts };
    let charge = Charge {
        input_tokens: last.input_tokens,
        output_tokens: last.output_tokens,
        amounts,
        ..Charge::nothing(Outcome::Ok)
    };
    assert!(entries::insert(&mut page, &hold, &charge).await.expect("written"));
    tx.commit().await.expect("committed");
}

/// Takes a token off the counter of tokens.
async fn miscount(shop: &Shop, owner: &Owner) {
    let store = opened(shop).await;
    let scope = store.inspect(owner.org.parse().expect("an id")).await.expect("opened");
    let mut tx = store.begin_ledger(&scope).await.expect("begun");
    let mut page = tx.page(&scope).expect("its page");
    let counters = balances::list(&mut page, None, 100).await.expect("counters");
    let counter = counters.iter().find(|counter| counter.counted == Counted::Tokens).expect("one of tokens");
    let key = LimitKey { id: counter.limit_id, counted: counter.counted };
    let wrong = Balance { held: counter.held, settled: counter.settled - 1 };
    balances::put(&mut page, key, counter.starts_at, wrong).await.expect("written");
    tx.commit().await.expect("committed");
}
