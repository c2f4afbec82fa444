//! Checking the books finds what was changed in them, and nothing else.

use domain::limits::{Amounts, Counted, LimitKey, Period};
use domain::prices::TokenCount;
use domain::{ApiKeyId, TeamId};
use metering::verify::{Verified, verify};
use serde_json::json;
use store::Scope;
use store::ledger::balances::{self, Balance};
use store::ledger::entries::{self, Charge, Outcome};
use store::ledger::holds::{Hold, Purpose};
use testing::{Spending, TestHouse, both_stores};

/// What a call of the cheap model costs by the list.
fn priced(house: &TestHouse, input: i64, output: i64) -> Spending {
    let (read, written) = (u64::try_from(input).expect("some"), u64::try_from(output).expect("some"));
    let tokens = TokenCount { input: read, output: written, ..TokenCount::default() };
    let quote = house.app.rules().prices().quote("gpt-4o-mini", house.clock_now()).expect("known");
    Spending { tokens: (input, output), ..Spending::of(quote.price.cost(tokens, 100)) }
}

async fn found(house: &TestHouse, scope: &Scope) -> Verified {
    verify(house.store(), house.app.rules(), scope).await.expect("verified")
}

/// Writes a row past the books, as nobody may.
async fn forge(house: &TestHouse, scope: &Scope, price: &str, micros: i64, change: impl FnOnce(&mut Charge)) {
    let ambient = house.store().ambient();
    let amounts = Amounts::of(Counted::Cost, micros).with(Counted::Tokens, 2_000).with(Counted::Requests, 1);
    let purpose = Purpose {
        operation: "chat".into(),
        model: "gpt-4o-mini".into(),
        price: price.into(),
        user_id: Some(scope.user()),
        ..Purpose::default()
    };
    let hold = Hold { id: ambient.id(), attempt: 1, at: ambient.now(), holder: ambient.id(), purpose, amounts };
    let mut used = Charge { input_tokens: 1_000, output_tokens: 1_000, amounts, ..Charge::nothing(Outcome::Ok) };
    change(&mut used);
    let mut tx = house.store().begin_ledger(scope).await.expect("begun");
    entries::insert(&mut tx.page(scope).expect("its page"), &hold, &used).await.expect("written");
    tx.commit().await.expect("committed");
}

both_stores! {
    async fn whole_books_are_found_whole(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let scope = house.scope(&ann).await;
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201).str("/id").to_owned();
        let key = json!({ "name": "CI", "budget_micros": 1_000_000, "currency": "USD" });
        let key = ann.post("/api/v1/auth/api-keys", &key).await.expect(201);
        for (level, id, period) in [("organization", None, "total"), ("team", Some(team.as_str()), "week"), ("user", Some(ann.user.as_str()), "month")] {
            let body = json!({ "level": level, "id": id, "period": period, "amount_micros": 10_000_000, "currency": "USD", "kind": "hard" });
            ann.post("/api/v1/budgets", &body).await.expect(201);
        }
        let team_id: TeamId = team.parse().expect("an id");
        let key_id: ApiKeyId = key.str("/id").parse().expect("an id");
        let by_key = house.scope(&ann.with_token(Some(key.str("/key")))).await;
        for tokens in 1..20 {
            let spending = Spending { team: Some(team_id), key: Some(key_id), ..priced(&house, tokens * 37, tokens * 11) };
            house.spend(&by_key, &spending).await;
        }
        house.spend(&scope, &Spending { outcome: Outcome::Error, ..Spending::of(0) }).await;
        let held = house.hold(&scope, &priced(&house, 500, 500)).await.expect("there is room");
        let whole = found(&house, &scope).await;
        assert_eq!((whole.entries, whole.unlisted, whole.skipped, whole.fault), (20, 0, 0, None));
        assert!(whole.counters >= 6, "the plan's, three budgets', the key's: {}", whole.counters);
        drop(held);
        // A counter of a budget that is gone says nothing any more.
        let budgets = ann.get("/api/v1/budgets").await.expect(200).json;
        ann.delete(&format!("/api/v1/budgets/{}", budgets["data"][0]["id"].as_str().expect("an id"))).await.expect(204);
        let whole = found(&house, &scope).await;
        assert_eq!((whole.skipped, whole.fault), (1, None));
    }

    async fn a_row_with_a_wrong_cost_is_found(house) {
        let scope = house.scope(&house.sign_up("Ann").await).await;
        // 1000 read and 1000 written come to 750.
        forge(&house, &scope, "2026-11", 750, |_| {}).await;
        assert_eq!(found(&house, &scope).await.fault, None);
        forge(&house, &scope, "2026-11", 375, |charge| charge.percent = 50).await;
        forge(&house, &scope, "2026-11", 675, |charge| charge.cached_tokens = 1_000).await;
        forge(&house, &scope, "own", 1, |_| {}).await;
        let whole = found(&house, &scope).await;
        assert_eq!((whole.entries, whole.unlisted, whole.fault), (4, 1, None));
        forge(&house, &scope, "2026-11", 749, |_| {}).await;
        let fault = found(&house, &scope).await.fault.expect("a fault");
        assert!(fault.contains("the row says 749 micros") && fault.ends_with("are 750"), "{fault}");
    }

    async fn a_counter_that_the_rows_do_not_bear_out_is_found(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        house.spend(&scope, &priced(&house, 100, 100)).await;
        let key = LimitKey::on(scope.org(), Counted::Tokens);
        let month = Period::Month.around(house.clock_now(), &domain::time_zone::TimeZoneName::utc());
        let mut tx = house.store().begin_ledger(&scope).await.expect("begun");
        let mut page = tx.page(&scope).expect("its page");
        balances::put(&mut page, key, month.from, Balance { held: 0, settled: 199 }).await.expect("written");
        tx.commit().await.expect("committed");
        let fault = found(&house, &scope).await.fault.expect("a fault");
        assert!(fault.starts_with("tokens of ") && fault.ends_with("says 199 used and 0 held, the rows say 200 and 0"), "{fault}");
        // Another organisation's books are whole.
        let other = house.scope(&house.sign_up("Bob").await).await;
        house.spend(&other, &priced(&house, 100, 100)).await;
        assert_eq!(found(&house, &other).await.fault, None);
    }

    async fn who_checks_at_the_command_line_holds_no_rights(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.store().inspect(ann.org.parse().expect("an id")).await.expect("opened");
        assert!(domain::access::Permission::ALL.iter().all(|permission| !scope.grants().allow_anywhere(*permission)));
        assert_eq!(found(&house, &scope).await.fault, None);
        let nowhere = house.store().inspect(house.store().ambient().id()).await;
        assert!(matches!(nowhere, Err(store::Error::NotFound(_))));
    }
}

/// The doors without a credential are for the command line, for telling webhooks, and for taking away what nobody needs: no request goes through them.
#[test]
fn no_request_comes_through_the_doors_without_a_credential() {
    assert_eq!(users_of(".inspect(org"), ["usage.rs"]);
    assert_eq!(users_of(".serve(org"), ["background.rs", "erasure.rs", "telling.rs"]);
}

/// The files outside tests that hold a text.
fn users_of(text: &str) -> Vec<String> {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder").to_owned();
    let mut folders = vec![crates];
    let mut users = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() && entry.file_name().is_some_and(|name| name != "tests") {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs")
                && std::fs::read_to_string(&entry).expect("text").contains(text)
            {
                users.push(entry.file_name().expect("a name").to_string_lossy().into_owned());
            }
        }
    }
    users.sort();
    users
}
