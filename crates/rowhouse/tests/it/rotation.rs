//! A new master key, also when the machine stops half way, and beside servers that go on.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::Ambient;
use serde_json::json;
use store::keys::MasterKeys;
use store::org::providers;
use store::{Actor, Error, Origin, Rotation, Settings, Store};
use testing::process::{free_port, run};
use testing::{Server, TestHouse, Wish, both_stores};

use crate::{BINARY, written};

/// Opens the same data afresh, as after a crash.
async fn reopen(house: &TestHouse) -> Result<Store, store::Error> {
    Store::start(house.settings(), Ambient::system()).await
}

/// Opens each organisation's store with the key that the directory holds.
async fn all_open(store: &Store) {
    assert_eq!(open(store).await, 3);
}

/// As [`all_open`]; says how many organisations there are.
async fn open(store: &Store) -> usize {
    let mut tx = store.read_control().await.expect("begun");
    let all = store::control::organisations::list(&mut tx, None, 100).await.expect("listed");
    drop(tx);
    for organisation in &all {
        assert_eq!(store.org_faults(organisation.id).await.expect("opens"), Vec::<String>::new());
    }
    all.len()
}

both_stores! {
    async fn a_rotation_can_stop_anywhere_and_go_on(house) {
        for name in ["Ada", "Bob", "Cleo"] {
            house.sign_up(name).await;
        }
        let key_file = &house.settings().master_key_file;
        let old = std::fs::read_to_string(key_file).expect("a key");
        let first = reopen(&house).await.expect("opens");
        let rotation = first.rotate_master(1).await.expect("begun");
        assert_eq!((rotation.rewrapped, rotation.done), (1, false));
        drop(first);
        assert_eq!(MasterKeys::load(key_file).expect("loads").count(), 2);

        let second = reopen(&house).await.expect("both keys open");
        all_open(&second).await;
        let rotation = second.rotate_master(usize::MAX).await.expect("goes on");
        assert_eq!((rotation.rewrapped, rotation.done), (2, true));
        // The store that rotated knows the new key, too.
        all_open(&second).await;
        drop(second);
        assert_eq!(MasterKeys::load(key_file).expect("loads").count(), 2, "the old key may open something else");
        let new = std::fs::read_to_string(key_file).expect("a key");
        assert_ne!(old, new);

        all_open(&reopen(&house).await.expect("the new key opens")).await;
        std::fs::write(key_file, old).expect("written");
        let refused = reopen(&house).await.expect_err("the old key opens nothing").to_string();
        assert!(refused.contains("is not the one that this data was made with"), "{refused}");
        std::fs::write(key_file, new).expect("written");
        let third = reopen(&house).await.expect("opens").rotate_master(usize::MAX).await.expect("done again");
        assert_eq!((third.rewrapped, third.done), (3, true));
    }

    async fn of_two_rotations_at_once_no_key_is_lost(house) {
        for name in ["Ada", "Bob", "Cleo"] {
            house.sign_up(name).await;
        }
        let (one, two) = (reopen(&house).await.expect("opens"), reopen(&house).await.expect("opens"));
        let (one, two) = tokio::join!(one.rotate_master(usize::MAX), two.rotate_master(usize::MAX));
        let outcomes = [one, two];
        assert!(outcomes.iter().any(Result::is_ok), "{outcomes:?}");
        let fine = |outcome: &Result<Rotation, Error>| matches!(outcome, Ok(Rotation { done: true, .. }) | Err(Error::Refused(_)));
        assert!(outcomes.iter().all(fine), "{outcomes:?}");
        let rotated = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(MasterKeys::load(&house.settings().master_key_file).expect("loads").count(), 1 + rotated);
        all_open(&reopen(&house).await.expect("opens")).await;
        all_open(house.store()).await;
    }

    async fn keys_of_providers_outlive_the_master_key_they_were_sealed_under(house) {
        let ada = house.sign_up("Ada").await;
        let body = serde_json::json!({ "kind": "openai", "api_key": "sk-of-ada-1234" });
        let made = ada.post("/api/v1/providers", &body).await.expect(201);
        let store = reopen(&house).await.expect("opens");
        assert!(store.rotate_master(usize::MAX).await.expect("rotated").done);
        let store = reopen(&house).await.expect("the new key opens");
        let scope = house.scope(&ada).await;
        let org = store.open(&scope);
        let id = made.str("/id").parse().expect("an id");
        let row = providers::get(&mut org.read().await.expect("begun"), id).await.expect("there");
        let sealed = row.sealed.expect("it has a key");
        let open = org.unseal(providers::SEALED, id, &sealed, row.key_version).await.expect("opens");
        assert!(String::from_utf8_lossy(&open).contains("sk-of-ada-1234"));
        let elsewhere = org.unseal("providers.other", id, &sealed, row.key_version).await;
        assert!(elsewhere.is_err() && org.unseal(providers::SEALED, id, &sealed, 2).await.is_err());
    }

    async fn a_new_signing_key_signs_nobody_out(house) {
        let ada = house.sign_up("Ada").await;
        store::tokens::rotate(house.store(), &Actor::System, &Origin::default()).await.expect("rotated");
        ada.get("/api/v1/auth/me").await.expect(200);
        house.sign_up("Bob").await.get("/api/v1/auth/me").await.expect(200);
    }
}

/// Few files may be open, so that organisations' keys are asked for again and again.
fn few_files() -> Wish {
    Wish { open_files: 4, ..Wish::default() }
}

both_stores! {
    in few_files();
    async fn a_house_that_runs_goes_on(house) {
        let mut people = Vec::new();
        for name in ["Ada", "Bob", "Cleo", "Dora", "Emil", "Fay"] {
            people.push(house.sign_up(name).await);
        }
        let key_file = &house.settings().master_key_file;
        let old = std::fs::read_to_string(key_file).expect("a key");
        let other = reopen(&house).await.expect("opens");
        other.rotate_master(2).await.expect("begun");
        // The new key wraps at once, here too: there is one fewer to rewrap than there would be else.
        people.push(house.sign_up("Gil").await);
        for person in &people {
            person.get("/api/v1/teams").await.expect(200);
        }
        let rotation = other.rotate_master(usize::MAX).await.expect("goes on");
        assert_eq!((rotation.rewrapped, rotation.done), (4, true));
        house.store().refresh_master_keys().await.expect("read");
        people.push(house.sign_up("Hal").await);
        for person in &people {
            person.post("/api/v1/teams", &json!({ "name": "Painters" })).await.expect(201);
        }
        assert_eq!(open(&reopen(&house).await.expect("the new key opens")).await, 8);
        // A file from a backup lacks the new key: that is told, and those who know it go on.
        let new = std::fs::read_to_string(key_file).expect("a key");
        std::fs::write(key_file, old).expect("written");
        let told = house.store().refresh_master_keys().await.expect_err("it lacks a key").to_string();
        assert!(told.contains("lacks the key"), "{told}");
        people.push(house.sign_up("Ida").await);
        let refused = house.store().rotate_master(usize::MAX).await.expect_err("not with this file");
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
        std::fs::write(key_file, new).expect("written");
        for person in &people {
            person.get("/api/v1/teams").await.expect(200);
        }
        assert_eq!(open(&reopen(&house).await.expect("opens")).await, 9);
    }
}

/// Another node on the same database, with a key file of its own.
async fn node(house: &TestHouse, folder: &std::path::Path) -> Store {
    let master_key_file = folder.join("master.key");
    std::fs::copy(&house.settings().master_key_file, &master_key_file).expect("copied");
    let settings =
        Settings { master_key_file, audit_heads: folder.join("audit-heads.jsonl"), ..house.settings().clone() };
    Store::start(&settings, Ambient::system()).await.expect("opens")
}

/// Makes the rows of an organisation through a node; it is as good as made when they are durable.
async fn found(store: &Store, owner: &str) -> Result<(), Error> {
    use domain::text::OrgName;
    let house = tenancy::House::new(
        store.clone(),
        tenancy::passwords::Passwords::new(
            tenancy::passwords::Cost { memory_kib: 8, passes: 1 },
            1,
            store.ambient().clone(),
        )
        .expect("a good cost"),
        tenancy::Rules::new("http://test", false),
    );
    let mut tx = store.begin_control(store::Turn::Free).await?;
    let name = OrgName::new("Another house").expect("a name");
    let made =
        tenancy::orgs::insert(&house, &mut tx, owner.parse().expect("an id"), name, false, &Origin::default()).await;
    match made {
        Ok(_) => tx.commit().await,
        Err(tenancy::Error::Store(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_with_a_key_file_each_take_two_calls() {
    let house = TestHouse::postgres().await;
    let ada = house.sign_up("Ada").await;
    let folder = tempfile::tempdir().expect("a folder");
    let far = node(&house, folder.path()).await;
    let here = &house.settings().master_key_file;
    assert!(house.store().prepare_master_rotation().await.expect("prepared"));
    assert!(!house.store().prepare_master_rotation().await.expect("prepared already"));
    assert_eq!(MasterKeys::load(here).expect("loads").count(), 2);
    // Whoever has not got the copy wraps on, and so does who has it.
    found(&far, &ada.user).await.expect("made");
    house.store().refresh_master_keys().await.expect("read");
    house.sign_up("Bob").await;
    // The copy is forgotten: the rotation still leaves nothing behind.
    assert!(house.store().rotate_master(usize::MAX).await.expect("rotated").done);
    let told = found(&far, &ada.user).await.expect_err("its file lacks the key").to_string();
    assert!(told.contains("copy the file"), "{told}");
    assert!(far.refresh_master_keys().await.is_err());
    assert!(matches!(far.rotate_master(usize::MAX).await, Err(Error::Refused(_))));
    std::fs::copy(here, folder.path().join("master.key")).expect("copied");
    found(&far, &ada.user).await.expect("made");
    far.refresh_master_keys().await.expect("read");
    // The next rotation may begin at the other node.
    assert!(far.rotate_master(usize::MAX).await.expect("rotated").done);
    assert!(reopen(&house).await.is_err(), "the first node lacks the key now");
    std::fs::copy(folder.path().join("master.key"), here).expect("copied");
    house.sign_up("Cleo").await;
    // On this engine no file shows that a key opens; the next rotation does, which unwraps all of them.
    let last = reopen(&house).await.expect("opens").rotate_master(usize::MAX).await.expect("rotated");
    assert_eq!((last.rewrapped, last.done), (5, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_being_wrapped_under_the_old_key_is_waited_for() {
    let house = TestHouse::postgres().await;
    house.sign_up("Ada").await;
    let folder = tempfile::tempdir().expect("a folder");
    let far = node(&house, folder.path()).await;
    let mut tx = far.begin_control(store::Turn::Free).await.expect("begun");
    let organisation = store::control::organisations::Organisation {
        id: far.ambient().id(),
        name: domain::text::OrgName::new("Late").expect("a name"),
        slug: "late".into(),
        plan: "free".parse().expect("a plan"),
        status: domain::status::OrgStatus::Creating,
        personal: false,
        time_zone: "UTC".into(),
        closes_at: None,
        version: 1,
        created_at: house.clock_now(),
        updated_at: house.clock_now(),
    };
    store::control::organisations::insert(&mut tx, &organisation, far.ambient().id())
        .await
        .expect("wrapped under the old key");
    let rotating = tokio::spawn({
        let store = house.store().clone();
        async move { store.rotate_master(usize::MAX).await }
    });
    let raw = house.raw().await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while raw.query_one(waits, &[]).await.expect("asked").get::<_, i64>(0) == 0 {
        assert!(!rotating.is_finished(), "it must wait for the one who wraps");
    }
    let origin = Origin::default();
    tx.record(organisation.id, &Actor::System, &origin, store::audit::Event::new("organisation.created", "late"))
        .await
        .expect("recorded");
    tx.commit().await.expect("committed");
    let rotation = rotating.await.expect("joined").expect("rotated");
    assert_eq!((rotation.rewrapped, rotation.done), (2, true));
    let last = reopen(&house).await.expect("opens").rotate_master(usize::MAX).await.expect("all keys open");
    assert_eq!((last.rewrapped, last.done), (2, true));
}

#[test]
fn another_house_that_shares_the_key_file_still_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = |data: &str, arguments: &[&str]| {
        let data = folder.path().join(data).display().to_string();
        run(BINARY, folder.path(), &[arguments, &["--data", &data]].concat())
    };
    for data in ["one", "two"] {
        let made = here(data, &["demo"]);
        assert!(made.status.success(), "{}", written(&made));
    }
    // Twice: what the first rotation left behind the second must leave, too.
    for _ in 0..2 {
        let rotated = here("one", &["keys", "rotate-master"]);
        assert!(rotated.status.success(), "{}", written(&rotated));
        assert!(written(&rotated).contains("The old key stays in the file"), "{}", written(&rotated));
        for data in ["one", "two"] {
            let well = here(data, &["doctor"]);
            assert!(well.status.success(), "{data}: {}", written(&well));
        }
    }
    let rotated = here("two", &["keys", "rotate-master"]);
    assert!(rotated.status.success(), "{}", written(&rotated));
    for data in ["one", "two"] {
        let well = here(data, &["doctor"]);
        assert!(well.status.success(), "{data}: {}", written(&well));
    }
}

#[test]
fn a_server_serves_on_while_the_command_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    // Tokens are issued by the address, so it stays the same.
    let port = free_port();
    let server = Server::start(BINARY, folder.path(), port, &["--open-files", "4"]);
    let sign_up = |number: usize| {
        let body =
            json!({ "email": format!("p{number}@example.com"), "password": "wet paint on the porch", "name": "Ada" });
        let answer = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.str("/access_token").to_owned()
    };
    let mut tokens: Vec<String> = (0..6).map(sign_up).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let meanwhile = scope.spawn(|| {
            let mut tokens = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                tokens.push(sign_up(6 + tokens.len()));
            }
            tokens
        });
        for _ in 0..2 {
            let rotated = run(BINARY, folder.path(), &["keys", "rotate-master"]);
            assert!(rotated.status.success(), "{}", written(&rotated));
        }
        stop.store(true, Ordering::SeqCst);
        tokens.extend(meanwhile.join().expect("everybody could sign up"));
    });
    assert_eq!(MasterKeys::load(&folder.path().join("keys/master.key")).expect("loads").count(), 3);
    let everybody_is_in = |server: &Server| {
        for token in &tokens {
            let answer = server.send("GET", "/api/v1/teams", Some(token), None).expect("answered");
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    };
    everybody_is_in(&server);
    drop(server);
    let again = Server::start(BINARY, folder.path(), port, &["--open-files", "4"]);
    everybody_is_in(&again);
}
