//! The end of an organisation: closed, its time to be restored over, erased with a receipt; nobody else feels it.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::limits::{Amounts, Counted};
use domain::{DocumentId, OrgId};
use metering::{Books, Settings};
use serde_json::json;
use store::control::{erasures, jobs};
use store::ledger::entries::{self, Charge, Outcome};
use store::ledger::holds::{self, Purpose};
use store::{Engine, Turn};
use testing::process::files_below;
use testing::{Client, TestHouse};

pub(crate) const DAY: Duration = Duration::from_hours(24);

fn id(org: &str) -> OrgId {
    org.parse().expect("an id")
}

/// Something in each corner of an organisation.
async fn furnish(host: &Client) {
    let team = host.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
    let project = host.post("/api/v1/projects", &json!({ "name": "Apollo" })).await.expect(201);
    let put = async |path: String| {
        host.put(&path, &json!({ "role": "viewer" })).await.expect(200);
    };
    put(format!("/api/v1/teams/{}/members/{}", team.str("/id"), host.user)).await;
    put(format!("/api/v1/projects/{}/members/{}", project.str("/id"), host.user)).await;
    put(format!("/api/v1/projects/{}/teams/{}", project.str("/id"), team.str("/id"))).await;
    host.post("/api/v1/auth/api-keys", &json!({ "name": "Key" })).await.expect(201);
    host.post("/api/v1/invitations", &json!({ "email": "guest@example.com", "role": "viewer" })).await.expect(201);
    host.patch("/api/v1/user/config", &json!({ "language": "de" })).await.expect(200);
}

async fn close(host: &Client, name: &str) {
    host.delete(&format!("/api/v1/orgs/{}?confirm={name}'s%20house", host.org)).await.expect(200);
}

async fn round(house: &TestHouse) -> usize {
    tenancy::erasure::organisations(&house.house).await.expect("a round")
}

/// Lets the grace period pass and erases what is due. The house's own background does the same; both together must be right.
pub(crate) async fn erase(house: &TestHouse) {
    house.clock.advance(30 * DAY);
    round(house).await;
    house.clock.advance(tenancy::erasure::SETTLING);
    round(house).await;
}

/// All that the storage holds inside an organisation: the bytes of its files, or its rows by table.
async fn inside(house: &TestHouse, org: &str) -> BTreeMap<String, Vec<u8>> {
    if house.engine() == Engine::Sqlite {
        let hex = org.trim_start_matches("org_");
        let all = files_below(&house.data().join("orgs")).into_iter();
        let own = all.filter(|path| path.display().to_string().contains(hex) && !path.ends_with("-shm"));
        return own.map(|path| (path.display().to_string(), std::fs::read(&path).expect("read"))).collect();
    }
    let raw = house.raw().await;
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'org' ORDER BY 1";
    let mut found = BTreeMap::new();
    for table in raw.query(tables, &[]).await.expect("listed") {
        let table: String = table.get(0);
        let uuid = org.trim_start_matches("org_");
        let text = format!("SELECT to_jsonb(t)::text FROM org.{table} t WHERE org_id = '{uuid}' ORDER BY 1");
        let rows = raw.query(&text, &[]).await.expect("read");
        let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        if !rows.is_empty() {
            found.insert(table, rows.join("\n").into_bytes());
        }
    }
    found
}

/// What stands on an organisation's page of the books.
async fn all_books(house: &TestHouse, host: &Client) -> String {
    let mut tx = house.store().read_ledger(&house.scope(host).await).await.expect("begun");
    let mut page = tx.page(&house.scope(host).await).expect("its page");
    let held = holds::list(&mut page).await.expect("listed");
    let used = entries::list(&mut page, &entries::Search::default(), None, 10).await.expect("listed");
    format!("{:?} {used:?}", held.iter().map(|(hold, _)| hold).collect::<Vec<_>>())
}

/// The tables of the control database that hold a text, hyphens aside; on PostgreSQL.
pub(crate) async fn in_control(house: &TestHouse, text: &str) -> Vec<String> {
    let raw = house.raw().await;
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'control' ORDER BY 1";
    let mut found = Vec::new();
    for table in raw.query(tables, &[]).await.expect("listed") {
        let table: String = table.get(0);
        let count = format!(
            "SELECT count(*) FROM control.{table} t WHERE replace(to_jsonb(t)::text, '-', '') LIKE '%' || $1 || '%'"
        );
        if raw.query_one(&count, &[&text]).await.expect("read").get::<_, i64>(0) > 0 {
            found.push(table);
        }
    }
    found
}

testing::both_stores! {
    async fn nothing_is_left_of_an_erased_organisation_and_the_others_are_untouched(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        for host in [&ann, &bob] {
            furnish(host).await;
            house.furnish_books(&house.scope(host).await, "orchid", house.store().ambient().id()).await;
        }
        let books = all_books(&house, &bob).await;
        close(&ann, "Ann").await;
        for org in [&ann.org, &bob.org] {
            house.store().deliver(id(org)).await.expect("delivered");
        }
        assert!(!inside(&house, &ann.org).await.is_empty());
        let before = inside(&house, &bob.org).await;
        erase(&house).await;
        assert_eq!(inside(&house, &ann.org).await.keys().collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(inside(&house, &bob.org).await == before, "the other organisation was touched");
        let bob = house.sign_in(&bob, "Bob").await;
        assert_eq!(all_books(&house, &bob).await, books, "the other's page was touched");
        assert_eq!(house.store().remains(id(&ann.org)).await.expect("looked"), Vec::<String>::new());
        if house.engine() == Engine::Postgres {
            // The installation's log and the receipt name the id; nothing else does.
            let left = in_control(&house, ann.org.trim_start_matches("org_")).await;
            assert_eq!(left, ["audit", "erasures"]);
        }
        assert_eq!(house.store().verify_house().await.expect("walked").fault, None);
        assert_eq!(house.store().verify_org(id(&bob.org)).await.expect("walked").fault, None);
        assert_eq!(house.store().control_faults().await.expect("looked"), Vec::<String>::new());
    }

    async fn it_is_one_that_never_existed_and_its_people_go_on(house) {
        let ann = house.sign_up("Ann").await;
        house.join(&ann, "Max", "member").await;
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "Key" })).await.expect(201).str("/key").to_owned();
        close(&ann, "Ann").await;
        house.clock.advance(30 * DAY);
        round(&house).await;
        // From the first moment on.
        for pass in 0..2 {
            for name in ["Ann", "Max"] {
                let anew = house.visitor().with("x-request-id", "compare-bytes");
                let client = house.sign_in(&anew, name).await;
                let gone = client.get(&format!("/api/v1/orgs/{}", ann.org)).await.expect(404);
                let never = client.get("/api/v1/orgs/org_01932d6f4b7a7c3e9a51c0ffee15600d").await;
                assert_eq!((&gone.text, &gone.headers), (&never.text, &never.headers), "{name}, pass {pass}");
                client.post(&format!("/api/v1/orgs/{}/restore", ann.org), &json!({})).await.expect(404);
                client.post(&format!("/api/v1/orgs/{}/leave", ann.org), &json!({})).await.expect(404);
                let listed = client.get("/api/v1/orgs").await.expect(200);
                assert!(!listed.text.contains(&ann.org));
            }
            house.visitor().with_token(Some(&key)).get("/api/v1/auth/me").await.expect(401);
            house.clock.advance(tenancy::erasure::SETTLING);
            round(&house).await;
        }
        // A person without an organisation makes a new one.
        let ann = house.sign_in(&house.visitor(), "Ann").await;
        assert_eq!(ann.get("/api/v1/orgs").await.expect(200).json["data"], json!([]));
        ann.get("/api/v1/auth/me").await.expect(200);
        let made = ann.post("/api/v1/orgs", &json!({ "name": "Second" })).await.expect(201);
        ann.in_org(made.str("/id")).post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
    }

    async fn a_signed_receipt_stays_and_goes_to_the_owner(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.operator("Olga").await;
        furnish(&ann).await;
        house.furnish_books(&house.scope(&ann).await, "orchid", house.store().ambient().id()).await;
        ann.post("/api/v1/mail-domains", &json!({ "domain": "example.com", "role": "member" })).await.expect(201);
        close(&ann, "Ann").await;
        erase(&house).await;
        let olga = house.sign_in(&house.visitor(), "Olga").await;
        let list = olga.get("/api/v1/operator/erasures").await.expect(200);
        assert_eq!(list.json["data"].as_array().map(Vec::len), Some(1));
        let url = format!("/api/v1/operator/erasures/{}", list.str("/data/0/id"));
        let receipt = olga.get(&url).await.expect(200);
        assert_eq!((receipt.str("/subject"), receipt.str("/requested_by")), (ann.org.as_str(), ann.user.as_str()));
        assert_eq!(receipt.str("/requested_at"), "2026-11-22T10:00:00.000000Z");
        assert_eq!(receipt.json["counts"]["organisation"]["teams"], 1);
        assert_eq!(receipt.json["counts"]["control"]["api_keys"], 1);
        assert_eq!(receipt.json["counts"]["control"]["mail_domains"], 1);
        assert_eq!(receipt.json["counts"]["ledger"], json!({ "admissions": 1, "alerts": 1, "balances": 1, "entries": 1, "holds": 1 }));
        assert_eq!(receipt.json["counts"]["control"]["organisations"], 1);
        assert!(!receipt.text.contains("Ann") && !receipt.text.contains("Apollo"), "{}", receipt.text);
        let mut tx = house.store().read_control().await.expect("begun");
        let stored = erasures::about(&mut tx, &ann.org).await.expect("there");
        drop(tx);
        assert!(house.store().attests(&stored));
        assert!(!house.store().attests(&erasures::Erasure { requested_by: bob.user.clone(), ..stored }));
        let mails = olga.get("/api/v1/operator/mails").await.expect(200);
        assert_eq!(mails.str("/data/0/subject"), "Your organisation was erased");
        assert_eq!(mails.str("/data/0/recipient"), "ann@example.com");
        assert!(!mails.text.contains("guest@example.com"), "an invitation speaks of the organisation");
        let bob = house.sign_in(&bob, "Bob").await;
        bob.get(&url).await.expect(404);
    }

    async fn whoever_finds_a_half_erased_organisation_does_the_rest(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        furnish(&ann).await;
        close(&ann, "Ann").await;
        assert!(house.store().destroy(id(&ann.org)).await.is_err(), "its time is not over");
        assert!(house.store().destroy(id(&bob.org)).await.is_err(), "nobody closed it");
        house.clock.advance(30 * DAY);
        round(&house).await;
        assert!(house.store().destroy(id(&bob.org)).await.is_err(), "another one is being erased");
        assert!(!inside(&house, &ann.org).await.is_empty(), "requests that were let in may still be at work");
        house.clock.advance(tenancy::erasure::SETTLING);
        // Stopped after the store was destroyed, twice, before the directory was told.
        house.store().destroy(id(&ann.org)).await.expect("destroyed");
        house.store().destroy(id(&ann.org)).await.expect("destroyed");
        round(&house).await;
        round(&house).await;
        assert_eq!(house.store().remains(id(&ann.org)).await.expect("looked"), Vec::<String>::new());
        let mut tx = house.store().read_control().await.expect("begun");
        let receipt = erasures::about(&mut tx, &ann.org).await.expect("there");
        assert_eq!(receipt.counted()["organisation"].as_ref().expect("it was counted")["projects"], 1);
        assert!(house.store().attests(&receipt));
    }

    async fn a_call_that_ends_after_the_erasure_writes_nothing(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let (books, _) = Books::open(house.store().clone(), Settings::default());
        let attempt = (house.store().ambient().id(), 1);
        let amounts = Amounts::of(Counted::Cost, 10);
        let held = books.hold(&scope, attempt, Purpose::default(), amounts, Vec::new().into()).await.expect("held");
        close(&ann, "Ann").await;
        erase(&house).await;
        held.settle(Charge { amounts, ..Charge::nothing(Outcome::Ok) }).await.expect("heard");
        assert_eq!(house.store().remains(id(&ann.org)).await.expect("looked"), Vec::<String>::new());
    }

    async fn work_that_waits_does_not_begin_where_everything_ends(house) {
        let ann = house.sign_up("Ann").await;
        let (org, now) = (id(&ann.org), house.clock_now());
        let subject: DocumentId = house.store().ambient().id();
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begun");
        jobs::queue(&mut tx, org, "test", subject, ann.user.parse().expect("an id"), now).await.expect("queued");
        let job = jobs::claim(&mut tx, "test", DAY).await.expect("asked").expect("it waits");
        tx.commit().await.expect("committed");
        close(&ann, "Ann").await;
        house.store().enter_for(&job).await.expect("it may be restored");
        house.clock.advance(30 * DAY);
        round(&house).await;
        assert!(matches!(house.store().enter_for(&job).await, Err(store::Error::NotFound(_))));
    }

    async fn an_original_that_came_after_the_erasure_goes_with_the_next_start(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let folder = |org: &str| {
            let hex = org.trim_start_matches("org_");
            house.settings().blobs.join(&hex[30..]).join(hex)
        };
        close(&ann, "Ann").await;
        erase(&house).await;
        for org in [ann.org.as_str(), "org_01932d6f4b7a7c3e9a51c0ffee15600d"] {
            std::fs::create_dir_all(folder(org)).expect("made");
            std::fs::write(folder(org).join("late"), "sealed under a key that is gone").expect("written");
        }
        assert_eq!(house.store().remains(id(&ann.org)).await.expect("looked"), ["1 originals"]);
        let _again = server::background::start(&house.app);
        for _ in 0..400 {
            if !folder(&ann.org).exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(house.store().remains(id(&ann.org)).await.expect("looked"), Vec::<String>::new());
        house.store().remove_latecomers(id("org_01932d6f4b7a7c3e9a51c0ffee15600d")).await.expect("looked");
        assert!(folder("org_01932d6f4b7a7c3e9a51c0ffee15600d").join("late").exists(), "nobody erased that one");
        house.store().remove_latecomers(id(&bob.org)).await.expect("looked");
        assert_eq!(house.store().knowledge_faults(id(&bob.org)).await.expect("looked"), Vec::<String>::new());
    }

    async fn two_who_erase_at_once_write_one_receipt(house) {
        let ann = house.sign_up("Ann").await;
        close(&ann, "Ann").await;
        house.clock.advance(30 * DAY);
        let begun = tokio::join!(round(&house), round(&house));
        assert_eq!(begun, (0, 0));
        house.clock.advance(tenancy::erasure::SETTLING);
        tokio::join!(round(&house), round(&house));
        round(&house).await;
        let mut tx = house.store().read_control().await.expect("begun");
        let receipts = erasures::list(&mut tx, None, 10).await.expect("listed");
        assert_eq!(receipts.len(), 1);
        assert!(receipts[0].erased_at.is_some());
    }

    async fn what_was_restored_in_time_is_not_erased(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        close(&ann, "Ann").await;
        close(&bob, "Bob").await;
        house.clock.advance(29 * DAY);
        round(&house).await;
        let ann = house.sign_in(&ann, "Ann").await;
        ann.post(&format!("/api/v1/orgs/{}/restore", ann.org), &json!({})).await.expect(200);
        house.operator("Olga").await;
        erase(&house).await;
        let ann = house.sign_in(&ann, "Ann").await;
        ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        // What is erased, or about to be, is beyond the operator too.
        let olga = house.sign_in(&house.visitor(), "Olga").await;
        let status = json!({ "status": "active" });
        olga.patch(&format!("/api/v1/operator/orgs/{}", bob.org), &status).await.expect(404);
        close(&ann, "Ann").await;
        house.clock.advance(30 * DAY);
        round(&house).await;
        let olga = house.sign_in(&house.visitor(), "Olga").await;
        let url = format!("/api/v1/operator/orgs/{}", ann.org);
        assert_eq!(olga.get(&url).await.expect(200).str("/status"), "erasing");
        assert_eq!(olga.patch(&url, &status).await.expect(409).code(), "conflict");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_destroyed_all_the_same() {
    let house = TestHouse::sqlite().await;
    let ann = house.sign_up("Ann").await;
    close(&ann, "Ann").await;
    for path in inside(&house, &ann.org).await.keys() {
        // Another file in its place: an open one must not be cut.
        std::fs::remove_file(path).expect("removed");
        std::fs::write(path, [7; 8192]).expect("written");
    }
    erase(&house).await;
    assert!(inside(&house, &ann.org).await.is_empty());
    let mut tx = house.store().read_control().await.expect("begun");
    let receipt = erasures::about(&mut tx, &ann.org).await.expect("there");
    assert!(receipt.erased_at.is_some());
    assert_eq!(receipt.counted()["organisation"], None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_an_erased_file_opens_no_more_and_goes_too() {
    let house = TestHouse::sqlite().await;
    let ann = house.sign_up("Ann").await;
    close(&ann, "Ann").await;
    let copy = inside(&house, &ann.org).await;
    house.clock.advance(30 * DAY);
    round(&house).await;
    house.clock.advance(tenancy::erasure::SETTLING);
    house.store().destroy(id(&ann.org)).await.expect("destroyed");
    // As if it had stopped between the key and the file, or somebody had brought a backup back.
    for (path, bytes) in &copy {
        std::fs::write(path, bytes).expect("written");
    }
    assert!(house.store().verify_org(id(&ann.org)).await.is_err(), "there is no key to it");
    round(&house).await;
    assert!(inside(&house, &ann.org).await.is_empty());
    let mut tx = house.store().read_control().await.expect("begun");
    assert!(erasures::about(&mut tx, &ann.org).await.expect("there").erased_at.is_some());
}

/// Who changes a receipt, or finds something left, is told so by the command's check.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_erased_is_seen() {
    let house = TestHouse::sqlite().await;
    let ann = house.sign_up("Ann").await;
    let remains = house.store().remains(id(&ann.org)).await.expect("looked");
    assert_eq!(remains.first().map(String::as_str), Some("it stands in the directory"));
    assert!(remains.len() > 1, "{remains:?}");
}

/// More rows of each kind than one step takes, with no words in them.
fn large(org: &str) -> String {
    let sealed = "decode(repeat('01', 32), 'hex')";
    format!(
        "INSERT INTO org.collections (org_id, id, number, name, description, access, made_by, version, created_at, updated_at)
           VALUES ('{org}', '{org}', 9000, 'Large', '', 'shared', '{org}', 1, 0, 0);
         INSERT INTO org.documents (org_id, id, collection_id, title, titled, name, name_key, source, kind, tags, tag_keys, status,
             content_hash, size, latest, shown, passages, embedded, job_id, made_by, version, created_at, updated_at, text_bytes, fresh_at)
           SELECT '{org}'::uuid, gen_random_uuid(), '{org}'::uuid, {sealed}, false, {sealed}, '', 'upload', '', {sealed}, '', 'ready',
             '', 1, 1, 1, 0, 0, '{org}'::uuid, '{org}'::uuid, 1, 0, 0, 0, 0
           FROM generate_series(1, 5001);
         INSERT INTO org.versions (org_id, document_id, number, name, content_hash, size, made_by, created_at, text_bytes)
           SELECT org_id, id, 1, name, '', 1, made_by, 0, 0 FROM org.documents WHERE org_id = '{org}';
         INSERT INTO org.threads (org_id, id, user_id, title, access, version, created_at, updated_at)
           SELECT '{org}'::uuid, gen_random_uuid(), '{org}'::uuid, {sealed}, 'private', 1, 0, 0 FROM generate_series(1, 5001);
         INSERT INTO org.messages (org_id, id, thread_id, author, content, citations, detail, created_at)
           SELECT org_id, gen_random_uuid(), id, 'user', title, title, title, 0 FROM org.threads WHERE org_id = '{org}';
         INSERT INTO org.citings (org_id, document_id, message_id, created_at)
           SELECT org_id, id, id, 0 FROM org.messages WHERE org_id = '{org}';
         INSERT INTO org.balances (org_id, limit_id, counted, starts_at, held, settled)
           SELECT '{org}'::uuid, gen_random_uuid(), 'cost', 0, 0, 0 FROM generate_series(1, 5001)"
    )
}

/// No statement goes through all of a large organisation, and none that must is ended for taking long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organisation_is_erased_however_large_it_is() {
    let house = TestHouse::postgres().await;
    let ann = house.sign_up("Ann").await;
    close(&ann, "Ann").await;
    house.clock.advance(30 * DAY);
    round(&house).await;
    let (owner, watcher) = (house.raw().await, house.raw().await);
    owner.batch_execute(&large(ann.org.trim_start_matches("org_"))).await.expect("filled");
    let step = "CREATE FUNCTION public.is_a_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  IF (SELECT count(*) FROM gone) > 5000 THEN RAISE EXCEPTION 'too much of % at once', TG_TABLE_NAME; END IF;
                  RETURN NULL;
                END $$";
    owner.batch_execute(step).await.expect("made");
    for table in ["documents", "versions", "threads", "messages", "citings", "balances"] {
        let trigger = format!(
            "CREATE TRIGGER is_a_step AFTER DELETE ON org.{table} REFERENCING OLD TABLE AS gone
             FOR EACH STATEMENT EXECUTE FUNCTION public.is_a_step()"
        );
        owner.batch_execute(&trigger).await.expect("made");
    }
    // Fifteen seconds otherwise.
    for role in ["rowhouse_app", "rowhouse_eraser"] {
        let hasty = format!("ALTER ROLE {role} IN DATABASE {} SET statement_timeout = '300ms'", house.database());
        owner.batch_execute(&hasty).await.expect("set");
    }
    let store = house.another_store().await;
    owner.batch_execute("BEGIN; LOCK TABLE org.versions IN ACCESS EXCLUSIVE MODE").await.expect("locked");
    let destroying = tokio::spawn({
        let (store, org) = (store.clone(), id(&ann.org));
        async move { store.destroy(org).await }
    });
    let text = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waits = async {
        while watcher.query_one(text, &[]).await.expect("asked").get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waits).await.expect("it counts");
    tokio::time::sleep(Duration::from_millis(600)).await;
    owner.batch_execute("ROLLBACK").await.expect("unlocked");
    destroying.await.expect("ended").expect("destroyed");
    house.clock.advance(tenancy::erasure::SETTLING);
    round(&house).await;
    assert_eq!(house.store().remains(id(&ann.org)).await.expect("looked"), Vec::<String>::new());
    let mut tx = house.store().read_control().await.expect("begun");
    let receipt = erasures::about(&mut tx, &ann.org).await.expect("there");
    let counted = receipt.counted();
    let counted = counted["organisation"].as_ref().expect("it was counted");
    assert_eq!((counted["documents"], counted["messages"]), (5001, 5001));
}
