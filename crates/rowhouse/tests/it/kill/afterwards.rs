//! What must hold afterwards: everything is as it was acknowledged, and stands in the log exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::audit::{Entry, Filter};
use store::org::audits;
use testing::Server;
use testing::process::send;

use super::house::{PASSWORD, World};
use super::work::{Receipts, Worker};

/// All that a list has.
fn all(server: &Server, token: &str, path: &str) -> Vec<Value> {
    let (mut found, mut next) = (Vec::new(), String::new());
    loop {
        let page = send(&server.address, "GET", &format!("{path}?limit=100{next}"), Some(token), None);
        let page = page.expect("answered");
        assert_eq!(page.status, 200, "{path}: {page:?}");
        found.extend(page.json["data"].as_array().expect("a list").iter().cloned());
        match page.json["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return found,
        }
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}

/// What the server shows is what it acknowledged.
pub(super) fn check(world: &World, workers: &[Worker], receipts: &Receipts, server: &Server) {
    let owner = world.owner.token.as_str();
    let found: BTreeMap<String, String> =
        all(server, owner, "/api/v1/teams").iter().map(|team| (text(team, "id"), text(team, "name"))).collect();
    let common: BTreeSet<String> = workers.iter().filter_map(|worker| worker.everybody.clone()).collect();
    let mut expected: BTreeMap<String, String> =
        found.iter().filter(|(id, _)| common.contains(*id)).map(|(id, name)| (id.clone(), name.clone())).collect();
    assert_eq!(expected.len(), workers.len(), "each worker's first team is there");
    expected.extend(workers.iter().flat_map(|worker| worker.teams.clone()));
    assert_eq!(found, expected);

    let inside = |worker: &Worker| {
        worker.guests.iter().filter(|guest| guest.inside).map(|guest| guest.who.user.clone()).collect::<BTreeSet<_>>()
    };
    let members: BTreeSet<String> =
        all(server, owner, "/api/v1/members").iter().map(|member| text(member, "user_id")).collect();
    let mut expected: BTreeSet<String> = workers.iter().flat_map(inside).collect();
    expected.insert(world.owner.user.clone());
    assert_eq!(members, expected);
    for worker in workers {
        // What was promised with the invitation was delivered, and what an earlier stay had is gone.
        let team = worker.everybody.as_ref().expect("made");
        let members = all(server, owner, &format!("/api/v1/teams/{team}/members"));
        let members: Vec<String> = members.iter().map(|member| text(member, "user_id")).collect();
        let unique: BTreeSet<String> = members.iter().cloned().collect();
        assert_eq!((members.len(), &unique), (unique.len(), &inside(worker)));
        check_credentials(worker, server);
    }
    let shown: BTreeMap<String, Value> = all(server, &world.operator, "/api/v1/operator/erasures")
        .into_iter()
        .map(|receipt| (text(&receipt, "subject"), receipt))
        .collect();
    for (subject, seen) in &receipts.seen {
        assert_eq!(shown.get(subject), Some(seen), "a receipt that was shown stays as it was");
    }
}

/// Keys, accounts and organisations are as the worker left them.
fn check_credentials(worker: &Worker, server: &Server) {
    let get = |token: &str, path: &str| send(&server.address, "GET", path, Some(token), None).expect("answered");
    let (_, key) = worker.key.as_ref().expect("made");
    assert_eq!(get(key, "/api/v1/teams").status, 200, "the newest key opens");
    for (id, key) in &worker.replaced {
        assert_eq!(get(key, "/api/v1/teams").status, 401, "{id} was replaced");
    }
    for email in &worker.signed_up {
        let body = json!({ "email": email, "password": PASSWORD });
        let login = send(&server.address, "POST", "/api/v1/auth/login", None, Some(&body)).expect("answered");
        assert_eq!(login.status, 200, "{email} was acknowledged: {login:?}");
        let role = || get(login.str("/access_token"), "/api/v1/auth/me").json["role"].clone();
        eventually(role, &json!("owner"), email);
    }
    for guest in &worker.guests {
        let mut expected: BTreeMap<String, bool> =
            guest.made.iter().map(|(org, made)| (org.clone(), made.closed)).collect();
        expected.insert(guest.who.org.to_string(), false);
        if guest.inside {
            expected.insert(worker.host(), false);
        }
        let orgs = || -> BTreeMap<String, bool> {
            let orgs = all(server, &guest.who.token, "/api/v1/orgs").into_iter();
            orgs.filter(|org| org["status"] != "creating")
                .map(|org| (text(&org, "id"), org["status"] == "closing"))
                .collect()
        };
        eventually(orgs, &expected, &guest.who.email);
    }
}

/// Waits until something is as it must be: an organisation that was cut short while it was made is finished in the background.
fn eventually<T: PartialEq + std::fmt::Debug>(found: impl Fn() -> T, expected: &T, what: &str) {
    let began = Instant::now();
    while found() != *expected {
        if began.elapsed() > Duration::from_secs(40) {
            assert_eq!(found(), *expected, "{what}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The log of the organisation tells of each change once, and of no other.
pub(super) fn check_logs(world: &World, workers: &[Worker]) {
    let entries = world.open(async |house| {
        let scope = house.store.inspect(world.owner.org).await.expect("there");
        house.store.deliver(world.owner.org).await.expect("delivered");
        let mut tx = house.store.open(&scope).read().await.expect("begun");
        let (mut entries, mut above) = (Vec::<Entry>::new(), 0);
        loop {
            let page = audits::list_rising(&mut tx, Filter::default(), above, 500).await.expect("listed");
            let Some(last) = page.last() else { return entries };
            above = last.seq;
            entries.extend(page);
        }
    });
    let objects = |action: &str| {
        let mut objects: Vec<String> =
            entries.iter().filter(|entry| entry.action == action).map(|entry| entry.object.clone()).collect();
        objects.sort();
        objects
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let all = |of: fn(&Worker) -> Vec<String>| sorted(workers.iter().flat_map(of).collect());
    let made =
        all(|worker| worker.everybody.iter().chain(worker.teams.keys()).chain(&worker.deleted).cloned().collect());
    assert_eq!(objects("team.created"), made);
    assert_eq!(objects("team.deleted"), all(|worker| worker.deleted.clone()));
    assert_eq!(objects("invitation.created"), all(|worker| worker.invitations.clone()));
    let replaced = all(|worker| worker.replaced.iter().map(|(id, _)| id.clone()).collect());
    assert_eq!(objects("api_key.rotated"), replaced);
    let count = |of: fn(&Worker) -> usize| workers.iter().map(of).sum::<usize>();
    assert_eq!(objects("member.joined").len(), count(|worker| worker.joined));
    assert_eq!(objects("member.left").len(), count(|worker| worker.left));
}
