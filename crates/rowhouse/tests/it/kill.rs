#![expect(clippy::print_stderr, reason = "how often it was killed is worth knowing when it fails")]
//! `kill -9` at any moment: every acknowledged write is there afterwards, none is half there, and the audit chains are whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::Ambient;
use serde_json::json;
use testing::Server;
use testing::process::{free_port, run, send};

use crate::{BINARY, written};

/// Operations in all.
const OPERATIONS: usize = 1_000;
/// People who work at the same time.
const WORKERS: usize = 4;
/// However slow the machine is, the test ends.
const LIMIT: Duration = Duration::from_secs(45);
const PASSWORD: &str = "wet paint on the porch";

/// What the server said it had done.
#[derive(Default)]
struct Acknowledged {
    teams: Mutex<BTreeMap<String, String>>,
    people: Mutex<Vec<String>>,
    begun: AtomicUsize,
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    // One port for all rounds: access tokens are issued by the address.
    let port = free_port();
    let ambient = Ambient::system();
    // More teams than the plan of a newcomer includes.
    let plans = folder.path().join("plans.toml");
    let wide = include_str!("../../../domain/data/plans.toml").replace("teams = 50\n", "teams = 5_000\n");
    std::fs::write(&plans, wide).expect("written");
    let arguments = ["--plans", plans.to_str().expect("a plain path")];
    let done = Arc::new(Acknowledged::default());
    let began = Instant::now();
    let mut token = None;
    let mut rounds = 0;
    while done.begun.load(Ordering::SeqCst) < OPERATIONS && began.elapsed() < LIMIT {
        let server = Server::start(BINARY, folder.path(), port, &arguments);
        let token = token.get_or_insert_with(|| {
            let body = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });
            let signed_up = server.send("POST", "/api/v1/auth/signup", None, Some(&body)).expect("answered");
            signed_up.str("/access_token").to_owned()
        });
        let stop = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let (done, stop, token, address) = (done.clone(), stop.clone(), token.clone(), server.address.clone());
                std::thread::spawn(move || work(&done, &stop, &token, &address))
            })
            .collect();
        let [early, late] = ambient.bytes::<2>();
        std::thread::sleep(Duration::from_millis(300 + u64::from(early) * 4 + u64::from(late)));
        server.kill();
        stop.store(true, Ordering::SeqCst);
        for worker in workers {
            worker.join().expect("no worker panics");
        }
        rounds += 1;
    }
    assert!(rounds > 2, "it was killed {rounds} times only");
    let teams = done.teams.lock().expect("nobody panics with it").clone();
    let people = done.people.lock().expect("nobody panics with it").clone();
    assert!(teams.len() > 100 && !people.is_empty(), "{} teams, {} people", teams.len(), people.len());
    eprintln!("{rounds} kills, {} teams and {} people acknowledged, {:?}", teams.len(), people.len(), began.elapsed());

    // Half-made organisations of sign-ups that were cut short are finished now.
    let server = Server::start(BINARY, folder.path(), port, &arguments);
    let token = token.expect("there was a round");
    let found = all_teams(&server, &token);
    for (id, name) in &teams {
        assert_eq!(found.get(id), Some(name), "{id} was acknowledged");
    }
    for email in &people {
        let body = json!({ "email": email, "password": PASSWORD });
        let login = server.send("POST", "/api/v1/auth/login", None, Some(&body)).expect("answered");
        assert_eq!(login.status, 200, "{email} was acknowledged: {login:?}");
        let me = server.send("GET", "/api/v1/auth/me", Some(login.str("/access_token")), None).expect("answered");
        assert_eq!((me.status, me.str("/role")), (200, "owner"), "{email}");
    }
    assert_eq!(server.terminate().0, Some(0));

    let recorded = recorded_teams(folder.path(), port);
    assert_eq!(
        recorded,
        found.keys().cloned().collect::<BTreeSet<_>>(),
        "each team has its entry, each entry its team"
    );
    for command in [&["audit", "verify"][..], &["doctor"]] {
        let output = run(BINARY, folder.path(), command);
        assert!(output.status.success(), "{command:?}: {}", written(&output));
    }
}

/// Makes teams, and now and then signs somebody up, until the server is gone.
fn work(done: &Acknowledged, stop: &AtomicBool, token: &str, address: &str) {
    while !stop.load(Ordering::SeqCst) {
        let number = done.begun.fetch_add(1, Ordering::SeqCst);
        if number.is_multiple_of(40) {
            let email = format!("person{number}@example.com");
            let body = json!({ "email": email, "password": PASSWORD, "name": "Somebody" });
            match send(address, "POST", "/api/v1/auth/signup", None, Some(&body)) {
                Ok(reply) if reply.status == 201 => done.people.lock().expect("nobody panics with it").push(email),
                Ok(reply) => assert!(reply.status >= 500 || reply.status == 429, "{reply:?}"),
                Err(_) => return,
            }
            continue;
        }
        let name = format!("team {number}");
        match send(address, "POST", "/api/v1/teams", Some(token), Some(&json!({ "name": name }))) {
            Ok(reply) if reply.status == 201 => {
                let id = reply.str("/id").to_owned();
                done.teams.lock().expect("nobody panics with it").insert(id, name);
            }
            Ok(reply) => assert!(reply.status >= 500, "{reply:?}"),
            Err(_) => return,
        }
    }
}

fn all_teams(server: &Server, token: &str) -> BTreeMap<String, String> {
    let mut teams = BTreeMap::new();
    let mut path = "/api/v1/teams?limit=100".to_owned();
    loop {
        let page = server.send("GET", &path, Some(token), None).expect("answered");
        assert_eq!(page.status, 200, "{page:?}");
        for team in page.json["data"].as_array().expect("a list") {
            let text = |key: &str| team[key].as_str().expect("text").to_owned();
            teams.insert(text("id"), text("name"));
        }
        match page.json["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/teams?limit=100&cursor={cursor}"),
            None => return teams,
        }
    }
}

/// The teams whose making stands in the organisation's audit log, each once.
fn recorded_teams(folder: &std::path::Path, port: u16) -> BTreeSet<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let place = store::Place::Embedded { data: folder.join("data"), open_files: 8, cache_kib: 512 };
        let settings = store::Settings {
            place,
            master_key_file: folder.join("keys/master.key"),
            audit_heads: folder.join("keys/audit-heads.jsonl"),
            issuer: format!("http://127.0.0.1:{port}"),
        };
        let store = store::Store::start(&settings, Ambient::system()).await.expect("opens");
        let cost = tenancy::passwords::Cost::default();
        let passwords = tenancy::passwords::Passwords::new(cost, 1, Ambient::system()).expect("a good cost");
        let house = tenancy::House::new(store.clone(), passwords, tenancy::Rules::new(&settings.issuer, false));
        let email = domain::email::Email::new("ada@example.com").expect("an address");
        let password = domain::password::Password::new(PASSWORD.into()).expect("a password");
        let origin = store::Origin::default();
        let sign_in = tenancy::login::SignIn { email, password, code: None, device: None };
        let admitted = tenancy::login::admit(&house, sign_in, &origin).await.expect("it is right");
        let tokens = admitted.tokens(&house, &origin).await.expect("signed in");
        let bearer = store::Credential::Bearer(&tokens.access);
        let principal = store.authenticate(bearer, &origin).await.expect("known");
        let scope = store.enter(&principal, None, None, origin).await.expect("a member");
        let mut tx = store.open(&scope).read().await.expect("begun");
        let (mut recorded, mut above) = (BTreeSet::new(), 0);
        loop {
            let entries = store::org::audits::list_rising(&mut tx, store::audit::Filter::default(), above, 500)
                .await
                .expect("listed");
            let Some(last) = entries.last() else { return recorded };
            above = last.seq;
            for entry in entries.into_iter().filter(|entry| entry.action == "team.created") {
                assert!(recorded.insert(entry.object.clone()), "{} was recorded twice", entry.object);
            }
        }
    })
}
