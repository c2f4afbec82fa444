//! The audit log: searched, taken out, and checked against what was signed.

use domain::OrgId;
use serde_json::{Value, json};
use store::audit::{Entry, Event, Filter};
use store::org::audits;
use store::org::teams::{self, Team};
use store::{Engine, Turn};
use testing::{Client, TestHouse, Wish};

const URL: &str = "/api/v1/audit";

async fn team(who: &Client, name: &str) -> String {
    who.post("/api/v1/teams", &json!({ "name": name })).await.expect(201).str("/id").to_owned()
}

fn data(json: &Value) -> &Vec<Value> {
    json["data"].as_array().expect("a list")
}

fn org(who: &Client) -> OrgId {
    who.org.parse().expect("an id")
}

async fn fault(who: &Client) -> Option<String> {
    let answer = who.get(&format!("{URL}/verify")).await.expect(200);
    answer.json["fault"].as_str().map(str::to_owned)
}

async fn sign(house: &TestHouse, who: &Client) {
    house.store().deliver(org(who)).await.expect("delivered");
    house.store().sign_heads().await.expect("signed");
}

testing::both_stores! {
    async fn what_was_done_is_found(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        house.store().deliver(org(&ann)).await.expect("delivered");
        let made = team(&ann, "One").await;
        house.clock.advance(std::time::Duration::from_mins(1));
        let between = house.store().ambient().now();
        team(&ann.with("x-request-id", "a-known-request"), "Two").await;
        max.post("/api/v1/teams", &json!({ "name": "Three" })).await.expect(403);
        let all = ann.get(URL).await.expect(200);
        let newest = &data(&all.json)[0];
        assert_eq!((&newest["action"], &newest["actor"]), (&json!("access.denied"), &json!(max.user)));
        assert_eq!(newest["detail"]["permission"], json!("teams.create"));
        let known = &data(&all.json)[1];
        assert_eq!((&known["action"], &known["request_id"], &known["address"]), (&json!("team.created"), &json!("a-known-request"), &json!("192.0.2.10")));
        assert!(known["before"].is_null() && known["after"].as_str().is_some_and(|hash| hash.len() == 64));
        let actions: Vec<_> = data(&all.json).iter().map(|entry| entry["action"].as_str().expect("text")).collect();
        for action in ["organisation.created", "organisation.opened", "session.started", "member.joined"] {
            assert!(actions.contains(&action), "{action} in {actions:?}");
        }
        let count = async |filter: &str| data(&ann.get(&format!("{URL}?{filter}")).await.expect(200).json).len();
        assert_eq!(count("action=team.created").await, 2);
        assert_eq!(count(&format!("object={made}")).await, 1);
        assert_eq!(count(&format!("actor={}&action=access.denied", max.user)).await, 1);
        assert_eq!(count(&format!("action=team.created&from={between}")).await, 1);
        assert_eq!(count(&format!("action=team.created&until={between}")).await, 1);
        assert_eq!(count("actor=nobody").await, 0);
        // Pages go down to the first entry without gap or double.
        let (mut seen, mut path) = (Vec::new(), format!("{URL}?limit=2"));
        loop {
            let page = ann.get(&path).await.expect(200);
            seen.extend(data(&page.json).iter().map(|entry| entry["seq"].as_i64().expect("a number")));
            let Some(cursor) = page.json["next_cursor"].as_str() else { break };
            assert_eq!(bob.get(&format!("{URL}?limit=2&cursor={cursor}")).await.expect(400).code(), "invalid_cursor");
            assert_eq!(ann.get(&format!("{URL}?action=x&cursor={cursor}")).await.expect(400).code(), "invalid_cursor");
            path = format!("{URL}?limit=2&cursor={cursor}");
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1] + 1) && seen.last() == Some(&1), "{seen:?}");
        assert_eq!(ann.get(&format!("{URL}?from=yesterday")).await.expect(422).str("/error/param"), "from");
        assert_eq!(ann.get(&format!("{URL}?org_id=x")).await.expect(422).str("/error/param"), "org_id");
        // What no text holds is looked for nowhere, in this log or another.
        for (path, field) in [
            ("audit?actor=%00", "actor"),
            ("audit?action=team.created%00&object=x", "action"),
            ("audit?action=x&object=a%00b", "object"),
            ("audit/export?object=%00", "object"),
            ("usage/logs?model=%00", "model"),
            ("usage/logs?operation=chat%00", "operation"),
            ("threads?q=%00", "q"),
        ] {
            for accept in ["application/json", "text/csv"] {
                let refused = ann.with("accept", accept).get(&format!("/api/v1/{path}")).await.expect(422);
                assert_eq!((refused.code(), refused.str("/error/param")), ("invalid_field", field), "{path}");
            }
        }
        ann.get(&format!("{URL}?object=%2500")).await.expect(200);
        // Nobody reads another's log.
        max.get(URL).await.expect(403);
        max.get(&format!("{URL}/verify")).await.expect(403);
        max.get(&format!("{URL}/export")).await.expect(403);
        bob.in_org(&ann.org).get(URL).await.expect(404);
        assert!(!bob.get(URL).await.expect(200).text.contains(&ann.user));
        assert_eq!(fault(&ann).await, None);
    }

    async fn what_was_widened_is_told_with_what_it_was(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let made = async |path: &str, body: Value| ann.post(path, &body).await.expect(201).str("/id").to_owned();
        let detail = async |path: &str, change: Value, action: &str| {
            ann.patch(path, &change).await.expect(200);
            data(&ann.get(&format!("{URL}?action={action}")).await.expect(200).json)[0]["detail"].clone()
        };
        let role = made("/api/v1/roles", json!({ "name": "Billing", "permissions": ["usage.read"] })).await;
        let wider = json!({ "permissions": ["usage.read", "usage.all"] });
        let told = detail(&format!("/api/v1/roles/{role}"), wider, "role.updated").await;
        assert_eq!(told["name"], json!({ "from": "Billing", "to": "Billing" }));
        assert_eq!(told["permissions"], json!({ "from": ["usage.read"], "to": ["usage.read", "usage.all"] }));
        let project = made("/api/v1/projects", json!({ "name": "Closed" })).await;
        let told = detail(&format!("/api/v1/projects/{project}"), json!({ "open": true }), "project.updated").await;
        assert_eq!(told, json!({ "open": { "from": false, "to": true } }));
        let key = json!({ "name": "k", "rate_per_minute": 5, "addresses": ["192.0.2.0/24"] });
        let key = made("/api/v1/auth/api-keys", key).await;
        let looser = json!({ "rate_per_minute": null, "calls_per_day": 9, "addresses": [] });
        let told = detail(&format!("/api/v1/auth/api-keys/{key}"), looser, "api_key.updated").await;
        let limits = |addresses: Value, rate: Value, calls: Value| {
            json!({ "addresses": addresses, "rate_per_minute": rate, "calls_per_day": calls, "budget_micros": null, "currency": null })
        };
        let (was, is) = (limits(json!(["192.0.2.0/24"]), json!(5), Value::Null), limits(json!([]), Value::Null, json!(9)));
        assert_eq!(told, json!({ "from": was, "to": is }));
    }

    async fn the_log_goes_out_whole(house) {
        let ann = house.sign_up("Ann").await;
        let lacking = ann.get(&format!("{URL}/export")).await.expect(402);
        assert_eq!((lacking.code(), lacking.str("/error/param")), ("entitlement", "audit_export"));
        house.on_plan(&ann.org, "enterprise").await;
        // More than one batch.
        let scope = house.scope(&ann).await;
        let mut tx = house.store().open(&scope).begin().await.expect("begins");
        for n in 0..1100 {
            tx.record(Event::new("test.noted", format!("=cmd|{n}, \"quoted\""))).await.expect("recorded");
        }
        tx.commit().await.expect("committed");
        let answer = ann.get(&format!("{URL}/export")).await.expect(200);
        assert!(answer.headers["content-type"].to_str().expect("text").starts_with("application/x-ndjson"));
        assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"audit.jsonl\"");
        let lines: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(lines.len() > 1100);
        assert!(lines.iter().zip(1..).all(|(line, seq)| line["seq"] == json!(seq)), "from the first without a gap");
        assert_eq!(lines.last().expect("the export itself")["action"], json!("audit.exported"));
        let only = ann.get(&format!("{URL}/export?action=test.noted&format=csv")).await.expect(200);
        assert!(only.headers["content-type"].to_str().expect("text").starts_with("text/csv"));
        let mut rows = only.text.split("\r\n");
        assert!(rows.next().expect("a heading").starts_with("seq,id,at,actor,"));
        let first = rows.next().expect("a row");
        assert!(first.contains(",\"'=cmd|0, \"\"quoted\"\"\","), "{first}");
        assert_eq!(only.text.matches("\r\n").count(), 1101);
        assert_eq!(ann.get(&format!("{URL}/export?format=xml")).await.expect(422).str("/error/param"), "format");
    }

    async fn signed_heads_stand_in_a_file_that_others_can_check(house) {
        let ann = house.sign_up("Ann").await;
        sign(&house, &ann).await;
        let path = house.settings().audit_heads.clone();
        assert!(!path.starts_with(house.data()));
        let text = std::fs::read_to_string(&path).expect("the file");
        let line: Value = text.lines().map(|line| serde_json::from_str(line).expect("JSON"))
            .find(|line: &Value| line["org"] == json!(ann.org)).expect("a line");
        assert_eq!(line.as_object().expect("an object").len(), 6);
        // A head that somebody else wrote is no head.
        let forged = text.replace(line["hash"].as_str().expect("text"), &"0".repeat(64));
        std::fs::write(&path, forged).expect("written");
        let found = fault(&ann).await.expect("found");
        assert!(found.contains("signature"), "{found}");
        // What a crash left of a line is none, and the next one begins anew.
        std::fs::write(&path, format!("{text}{{\"org\":\"{}\",\"se", ann.org)).expect("written");
        team(&ann, "One").await;
        sign(&house, &ann).await;
        assert_eq!(fault(&ann).await, None);
        let verified = house.store().verify_house().await.expect("walked");
        assert!(verified.fault.is_none() && verified.heads > 0, "{verified:?}");
        let signed = house.store().signed_heads().await.expect("read");
        let verified = house.store().verify_org_with(org(&ann), &signed).await.expect("walked");
        assert_eq!((verified.fault, verified.heads), (None, 2));
    }

    async fn a_change_without_an_entry_is_refused(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let now = house.store().ambient().now();
        let forgotten = Team {
            id: house.store().ambient().id(),
            parent_id: None,
            name: domain::text::TeamName::new("Forgotten").expect("a name"),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let mut tx = house.store().open(&scope).begin().await.expect("begins");
        teams::insert(&mut tx, &forgotten).await.expect("inserted");
        let refused = tx.commit().await.expect_err("refused");
        assert!(refused.to_string().contains("without an audit entry"), "{refused}");
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        let mut person = store::control::people::get(&mut tx, scope.user()).await.expect("read");
        person.name = domain::text::PersonName::new("Somebody else").expect("a name");
        store::control::people::update(&mut tx, &person).await.expect("written");
        tx.commit().await.expect_err("refused");
        // An entry before the change is none for it.
        let mut tx = house.store().open(&scope).begin().await.expect("begins");
        tx.record(Event::new("test.noted", "early")).await.expect("recorded");
        teams::insert(&mut tx, &forgotten).await.expect("inserted");
        tx.commit().await.expect_err("refused");
        assert_eq!(data(&ann.get("/api/v1/teams").await.expect(200).json).len(), 0);
        assert!(!ann.get(URL).await.expect(200).text.contains("test.noted"));
    }
}

testing::both_stores! {
    // With room for one open file, another organisation's request closes the file of the one before.
    in Wish { open_files: 1, ..Wish::default() };

    async fn a_cut_end_is_seen_by_what_was_signed(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        team(&ann, "One").await;
        house.store().deliver(org(&ann)).await.expect("delivered");
        let old = OldState::keep(&house, &ann, &bob).await;
        team(&ann, "Two").await;
        team(&bob, "Theirs").await;
        sign(&house, &ann).await;
        assert_eq!(house.store().sign_heads().await.expect("signed"), 0, "nothing grew since");
        let whole = ann.get(&format!("{URL}/verify")).await.expect(200);
        assert!(whole.json["fault"].is_null() && whole.json["heads"].as_u64() > Some(0), "{}", whole.text);
        assert!(whole.str("/public_key").len() > 40);
        old.bring_back(&house, &ann, &bob).await;
        let found = fault(&ann).await.expect("found");
        assert!(found.contains("the end was cut off"), "{found}");
        assert_eq!(fault(&bob).await, None, "others are not touched");
        // Growing over the cut does not hide it, even when the new end is signed as well.
        for n in 0..5 {
            team(&ann, &format!("Other {n}")).await;
        }
        sign(&house, &ann).await;
        let found = fault(&ann).await.expect("found");
        assert!(found.contains("is not the one that was signed"), "{found}");
    }
}

/// The state of a client's log to which somebody with all rights to the machine goes back.
enum OldState {
    File(Vec<u8>),
    Database(i64),
}

impl OldState {
    async fn keep(house: &TestHouse, who: &Client, other: &Client) -> Self {
        match house.engine() {
            Engine::Sqlite => Self::File(std::fs::read(closed_file(house, who, other).await).expect("the file")),
            Engine::Postgres => {
                let text = "SELECT seq FROM org.audit_head WHERE org_id = $1::text::uuid";
                Self::Database(house.raw().await.query_one(text, &[&hex(who)]).await.expect("a head").get(0))
            }
        }
    }

    async fn bring_back(self, house: &TestHouse, who: &Client, other: &Client) {
        match self {
            Self::File(bytes) => std::fs::write(closed_file(house, who, other).await, bytes).expect("written"),
            Self::Database(seq) => {
                let raw = house.raw().await;
                let cut = "DELETE FROM org.audit WHERE org_id = $1::text::uuid AND seq > $2";
                raw.execute(cut, &[&hex(who), &seq]).await.expect("cut");
                let mend = "UPDATE org.audit_head SET seq = $2, hash = (SELECT hash FROM org.audit WHERE org_id = $1::text::uuid AND seq = $2)
                            WHERE org_id = $1::text::uuid";
                raw.execute(mend, &[&hex(who), &seq]).await.expect("mended");
            }
        }
    }
}

/// The hexadecimal digits of a client's organisation.
fn hex(who: &Client) -> &str {
    who.org.trim_start_matches("org_")
}

/// A client's file, closed because the other's was opened.
async fn closed_file(house: &TestHouse, who: &Client, other: &Client) -> std::path::PathBuf {
    other.get("/api/v1/teams").await.expect(200);
    let hex = hex(who);
    let path = house.data().join("orgs").join(&hex[30..]).join(format!("{hex}.db"));
    assert!(!path.with_extension("db-wal").exists(), "nobody has it open");
    path
}

/// What a superuser can change of a chain, and that each change is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_removed_and_replaced_entries_are_found() {
    let house = TestHouse::postgres().await;
    let (ann, raw) = (house.sign_up("Ann").await, house.raw().await);
    for name in ["One", "Two", "Three"] {
        team(&ann, name).await;
    }
    sign(&house, &ann).await;
    assert_eq!(fault(&ann).await, None);
    let id = hex(&ann);
    let run = async |text: &str| assert_eq!(raw.execute(text, &[&id]).await.expect("run"), 1);
    for (change, undo, found) in [
        (
            "UPDATE org.audit SET action = 'x' || action WHERE org_id = $1::text::uuid AND seq = 3",
            "UPDATE org.audit SET action = substr(action, 2) WHERE org_id = $1::text::uuid AND seq = 3",
            "entry 3 was changed",
        ),
        (
            "UPDATE org.audit SET seq = -seq WHERE org_id = $1::text::uuid AND seq = 2",
            "UPDATE org.audit SET seq = -seq WHERE org_id = $1::text::uuid AND seq = -2",
            "entry 2 is missing",
        ),
        (
            "UPDATE org.audit_head SET seq = seq + 1 WHERE org_id = $1::text::uuid",
            "UPDATE org.audit_head SET seq = seq - 1 WHERE org_id = $1::text::uuid",
            "its head says",
        ),
    ] {
        run(change).await;
        let fault_found = fault(&ann).await.expect("found");
        assert!(fault_found.contains(found), "{fault_found}");
        run(undo).await;
        assert_eq!(fault(&ann).await, None);
    }
    // The last entry written anew, with the right hash, and the head mended: only what was signed tells.
    let mut tx = house.store().open(&house.scope(&ann).await).read().await.expect("reads");
    let last = audits::list(&mut tx, Filter::default(), i64::MAX, 2).await.expect("read");
    drop(tx);
    let replaced = Entry { object: "somebody else".into(), ..last[0].clone() };
    let hash = replaced.chain(&last[1].hash).to_vec();
    let rewrite = "UPDATE org.audit SET object = $2, hash = $3 WHERE org_id = $1::text::uuid AND seq = $4";
    raw.execute(rewrite, &[&id, &replaced.object, &hash, &replaced.seq]).await.expect("rewritten");
    let mend = "UPDATE org.audit_head SET hash = $2 WHERE org_id = $1::text::uuid";
    raw.execute(mend, &[&id, &hash]).await.expect("mended");
    let found = fault(&ann).await.expect("found");
    assert!(found.contains("is not the one that was signed"), "{found}");
}
