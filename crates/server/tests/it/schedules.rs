//! Sources that are asked by themselves: when it is time and no sooner, ever more seldom while they fail, as far as the plan goes and for
//! as long as whoever set them up could do it by hand.

use std::time::Duration;

use domain::Time;
use serde_json::{Value, json};
use testing::{Client, TestHouse, both_stores};

use crate::answers::collection;
use crate::collections::{project, share};
use crate::providers::open;
use crate::sources::{Site, counts, over, set_up, sync};

const HOUR: Duration = Duration::from_hours(1);

fn time(value: &Value) -> Time {
    value.as_str().expect("a time").parse().expect("a time")
}

async fn shown(who: &Client, id: &str) -> Value {
    who.get(&format!("/api/v1/sources/{id}")).await.expect(200).json
}

/// Waits until a source is as it is looked for; gives it.
async fn once(who: &Client, id: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..1200 {
        last = shown(who, id).await;
        if holds(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came to that: {last}");
}

/// Moves the clock to when a source is asked next, and waits until so many rounds have failed.
async fn fails(house: &TestHouse, who: &Client, id: &str, failures: i64) -> (Duration, Value) {
    let pause = time(&shown(who, id).await["next_sync_at"]).since(house.clock_now());
    house.clock.advance(pause);
    (pause, once(who, id, |one| one["failures"] == failures && one["status"] == "failed").await)
}

/// Somebody with a key that outlasts every session.
async fn lasting(house: &TestHouse, who: &Client) -> Client {
    let key = house.key(who).await;
    who.with_token(Some(&key))
}

async fn letters(house: &TestHouse, who: &Client) -> usize {
    let all = house.mails_to(&who.email).await;
    all.iter().filter(|mail| mail.subject.contains("source of documents")).count()
}

both_stores! {
    in open();
    async fn a_source_is_asked_by_itself_when_it_is_time(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let vera = house.join(&ann, "Vera", "viewer").await;
        let ann = lasting(&house, &ann).await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        site.page("/a", Some("a1"), "A berth costs 12 euros.");
        for wrong in [json!(0), json!(721), json!(-1), json!(1.5), json!("6")] {
            let body = json!({ "urls": [site.at("/a")], "every": wrong });
            assert_eq!(set_up(&ann, &place, &body).await.expect(422).str("/error/param"), "every", "{wrong}");
        }
        let made = set_up(&ann, &place, &json!({ "urls": [site.at("/a")], "every": 6 })).await.expect(201);
        assert_eq!((&made.json["every"], &made.json["next_sync_at"]), (&json!(6), &Value::Null));
        let id = made.str("/id").to_owned();
        let first = over(&ann, &id).await;
        assert_eq!(time(&first["next_sync_at"]), time(&first["synced_at"]) + 6 * HOUR);
        assert_eq!(ann.get(&format!("/api/v1/collections/{place}/sources")).await.expect(200).json["data"][0], first);

        site.page("/a", Some("a2"), "A berth costs 14 euros.");
        house.clock.advance(5 * HOUR);
        // By hand it is asked all the same, and the time counts from there.
        assert_eq!(counts(&sync(&ann, &id).await), [0, 1, 0, 0, 0]);
        let by_hand = shown(&ann, &id).await;
        assert!(time(&by_hand["next_sync_at"]) >= time(&first["next_sync_at"]) + 5 * HOUR);
        assert_eq!(site.times("/a"), 2, "nobody asked in between");
        site.page("/a", Some("a3"), "A berth costs 16 euros.");
        house.clock.advance(6 * HOUR);
        let after = once(&ann, &id, |one| one["synced_at"] != by_hand["synced_at"] && one["status"] == "done").await;
        assert_eq!((counts(&after), site.times("/a")), ([0, 1, 0, 0, 0], 3));
        assert_eq!(time(&after["next_sync_at"]), time(&after["synced_at"]) + 6 * HOUR);

        // It is changed by who may, and in the state that they saw.
        let url = format!("/api/v1/sources/{id}");
        let tag = ann.get(&url).await.expect(200).headers["etag"].to_str().expect("text").to_owned();
        let changed = ann.with("if-match", &tag).patch(&url, &json!({ "name": "Harbour", "every": 12 })).await.expect(200);
        assert_eq!((changed.str("/name"), &changed.json["every"]), ("Harbour", &json!(12)));
        assert_eq!(time(&changed.json["next_sync_at"]), time(&after["synced_at"]) + 12 * HOUR);
        ann.with("if-match", &tag).patch(&url, &json!({ "every": null })).await.expect(412);
        house.sign_in(&bob, "Bob").await.patch(&url, &json!({ "every": null })).await.expect(404);
        house.sign_in(&vera, "Vera").await.patch(&url, &json!({ "every": null })).await.expect(403);
        for (body, field) in [(json!({ "every": 0 }), "every"), (json!({ "name": "" }), "name"), (json!({ "urls": [] }), "urls")] {
            assert_eq!(ann.patch(&url, &body).await.expect(422).str("/error/param"), field);
        }
        // More often than the time since the last round: at once.
        house.clock.advance(8 * HOUR);
        ann.patch(&url, &json!({ "every": 7 })).await.expect(200);
        let soon = once(&ann, &id, |one| one["synced_at"] != after["synced_at"] && one["status"] == "done").await;
        assert_eq!((site.times("/a"), time(&soon["next_sync_at"])), (4, time(&soon["synced_at"]) + 7 * HOUR));
        // By hand alone again: the time goes by, and nothing happens until somebody asks.
        let by_hand = ann.patch(&url, &json!({ "every": null })).await.expect(200);
        assert_eq!((&by_hand.json["every"], &by_hand.json["next_sync_at"]), (&Value::Null, &Value::Null));
        house.clock.advance(48 * HOUR);
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 1, 0, 0]);
        assert_eq!((site.times("/a"), &shown(&ann, &id).await["next_sync_at"]), (5, &Value::Null));
        let log = ann.get("/api/v1/audit?action=source.updated").await.expect(200);
        assert_eq!(log.json["data"].as_array().map(Vec::len), Some(3), "one of each change, none of what was refused");
    }

    async fn a_source_that_fails_is_asked_ever_more_seldom_and_its_maker_told_once(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let ben = house.join(&ann, "Ben", "member").await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        site.page("/a", None, "A berth costs 12 euros.");
        site.sitemap(&[site.at("/a")]);
        let body = json!({ "sitemap": site.at("/sitemap.xml"), "every": 24, "name": "Harbour" });
        let id = set_up(&ben, &place, &body).await.expect(201).str("/id").to_owned();
        over(&ben, &id).await;
        site.put("/sitemap.xml", "500 Oops", "", "");
        let mut pauses = Vec::new();
        for failures in 1..=7 {
            // A key holds for ninety days, a session for less.
            let ben = lasting(&house, &house.sign_in(&ben, "Ben").await).await;
            let (pause, _) = fails(&house, &ben, &id, failures).await;
            pauses.push(pause.as_secs().div_ceil(3600));
            assert_eq!(letters(&house, &ben).await, usize::from(failures >= 3), "after {failures}");
        }
        // Twice the time each time, 30 days at the most.
        assert_eq!(pauses, [24, 48, 96, 192, 384, 720, 720]);
        let letter = house.mails_to(&ben.email).await.into_iter().find(|mail| mail.subject.contains("source of documents"));
        let letter = letter.expect("told").body;
        assert!(letter.contains("Harbour") && letter.contains("3 times") && letter.contains("500") && letter.contains(&id), "{letter}");
        assert_eq!((letters(&house, &ann).await, letters(&house, &bob).await), (0, 0), "it is no concern of theirs");
        let ben = lasting(&house, &house.sign_in(&ben, "Ben").await).await;
        // It comes back, and all is as before; failing anew, its maker is told anew.
        site.sitemap(&[site.at("/a")]);
        let back = sync(&ben, &id).await;
        assert_eq!((&back["failures"], time(&back["next_sync_at"])), (&json!(0), time(&back["synced_at"]) + 24 * HOUR));
        site.put("/sitemap.xml", "500 Oops", "", "");
        for failures in 1..=3 {
            fails(&house, &ben, &id, failures).await;
        }
        assert_eq!(letters(&house, &ben).await, 2);
    }

    async fn no_round_begins_for_an_account_that_is_suspended(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let ben = house.join(&ann, "Ben", "member").await;
        let ann = lasting(&house, &ann).await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        for path in ["/a", "/b"] {
            site.page(path, None, "A berth costs 12 euros.");
        }
        let mut sources = Vec::new();
        for (who, path) in [(&ben, "/a"), (&ann, "/b")] {
            let id = set_up(who, &place, &json!({ "urls": [site.at(path)], "every": 6 })).await.expect(201).str("/id").to_owned();
            over(&ann, &id).await;
            sources.push(id);
        }
        let url = format!("/api/v1/operator/people/{}", ben.user);
        olga.patch(&url, &json!({ "standing": "suspended" })).await.expect(200);
        house.clock.advance(7 * HOUR);
        // Ann's is asked twice after Ben's turn has come.
        once(&ann, &sources[1], |one| site.times("/b") == 2 && one["status"] == "done").await;
        sync(&ann, &sources[1]).await;
        assert_eq!((site.times("/a"), site.times("/b")), (1, 3));
        assert_eq!(shown(&ann, &sources[0]).await["every"], 6, "it rests");
    }

    async fn a_plan_bounds_how_many_are_asked_by_themselves(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.on_plan(&ann.org, "pro").await;
        let ann = lasting(&house, &ann).await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        site.page("/a", None, "A berth costs 12 euros.");
        let with = |every: Option<i64>| json!({ "urls": [site.at("/a")], "every": every });
        let mut ids = Vec::new();
        for every in [Some(2), Some(2), Some(2), None] {
            let id = set_up(&ann, &place, &with(every)).await.expect(201).str("/id").to_owned();
            over(&ann, &id).await;
            ids.push(id);
        }
        // The free plan has room for two: the oldest go on.
        house.on_plan(&ann.org, "free").await;
        let refused = set_up(&ann, &place, &with(Some(2))).await.expect(402);
        assert_eq!((refused.code(), refused.str("/error/param")), ("entitlement", "schedules"));
        let url = format!("/api/v1/sources/{}", ids[3]);
        assert_eq!(ann.patch(&url, &json!({ "every": 2 })).await.expect(402).str("/error/param"), "schedules");
        let place_of_bob = collection(&bob, "project").await;
        set_up(&bob, &place_of_bob, &with(Some(2))).await.expect(201);
        let before = shown(&ann, &ids[1]).await;
        house.clock.advance(3 * HOUR);
        let third = once(&ann, &ids[2], |one| one["status"] == "failed").await;
        assert_eq!(third["error"]["code"], "entitlement", "{third}");
        once(&ann, &ids[1], |one| one["synced_at"] != before["synced_at"] && one["status"] == "done").await;
    }

    async fn nothing_begins_by_itself_for_who_may_not_begin_it(house) {
        let ann = house.sign_up("Ann").await;
        let ben = house.join(&ann, "Ben", "member").await;
        let max = house.join(&ann, "Max", "member").await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        let mut ids = Vec::new();
        for (at, who) in [&ben, &max].into_iter().enumerate() {
            let path = format!("/{at}");
            site.page(&path, None, "A berth costs 12 euros.");
            let id = set_up(who, &place, &json!({ "urls": [site.at(&path)], "every": 1 })).await.expect(201).str("/id").to_owned();
            over(&ann, &id).await;
            ids.push(id);
        }
        ann.delete(&format!("/api/v1/members/{}", ben.user)).await.expect(204);
        ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "role": "viewer" })).await.expect(200);
        let ann = lasting(&house, &ann).await;
        house.clock.advance(2 * HOUR);
        for (at, id) in ids.iter().enumerate() {
            let ended = once(&ann, id, |one| one["status"] == "failed").await;
            assert_eq!((&ended["error"]["code"], &ended["every"], &ended["next_sync_at"]), (&json!("forbidden"), &Value::Null, &Value::Null));
            assert_eq!(site.times(&format!("/{at}")), 1, "nobody asked for them");
            // Whoever may begins a round by hand.
            assert_eq!(counts(&sync(&ann, id).await), [0, 0, 1, 0, 0]);
        }
        assert_eq!(letters(&house, &ben).await, 0);
    }

    async fn nothing_begins_by_itself_where_its_maker_is_no_more(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let ben = house.join(&ann, "Ben", "member").await;
        let closed = project(&ann, "Closed", false).await;
        let member = format!("/api/v1/projects/{closed}/members/{}", ben.user);
        ann.put(&member, &json!({ "role": "member" })).await.expect(200);
        let inside = async |access: &str| {
            let body = json!({ "name": "Inside", "project_id": closed, "access": access });
            ben.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned()
        };
        // His own one in the project stays his.
        let (everybodys, own) = (inside("project").await, inside("private").await);
        let hers = collection(&ann, "shared").await;
        let with_ben = format!("users/{}", ben.user);
        assert_eq!(share(&ann, &hers, &with_ben).await, 200);
        let site = Site::open().await;
        let mut ids = Vec::new();
        for (at, place) in [&everybodys, &hers, &own].into_iter().enumerate() {
            let path = format!("/{at}");
            site.page(&path, None, &format!("A berth costs {at} euros."));
            let id = set_up(&ben, place, &json!({ "urls": [site.at(&path)], "every": 1 })).await.expect(201).str("/id").to_owned();
            over(&ben, &id).await;
            ids.push(id);
        }
        let before = shown(&ben, &ids[2]).await["synced_at"].clone();
        ann.delete(&member).await.expect(204);
        ann.delete(&format!("/api/v1/collections/{hers}/shares/{with_ben}")).await.expect(204);
        let (ann, ben) = (lasting(&house, &ann).await, lasting(&house, &ben).await);
        house.clock.advance(2 * HOUR);
        for (at, id) in ids.iter().take(2).enumerate() {
            let ended = once(&ann, id, |one| one["status"] == "failed").await;
            assert_eq!((&ended["error"]["code"], &ended["every"], &ended["next_sync_at"]), (&json!("forbidden"), &Value::Null, &Value::Null));
            assert_eq!(site.times(&format!("/{at}")), 1, "nobody asked for him");
        }
        once(&ben, &ids[2], |one| one["synced_at"] != before && one["status"] == "done").await;
        assert_eq!(site.times("/2"), 2);
    }

    async fn nothing_begins_by_itself_while_an_organisation_is_suspended(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let olga = house.operator("Olga").await;
        let site = Site::open().await;
        let mut ids = Vec::new();
        for (who, path) in [(&ann, "/ann"), (&bob, "/bob")] {
            site.page(path, None, "A berth costs 12 euros.");
            let place = collection(who, "project").await;
            let id = set_up(who, &place, &json!({ "urls": [site.at(path)], "every": 2 })).await.expect(201).str("/id").to_owned();
            over(who, &id).await;
            ids.push(id);
        }
        let bob = lasting(&house, &bob).await;
        let standing = async |status: &str| {
            let olga = house.sign_in(&olga, "Olga").await;
            olga.patch(&format!("/api/v1/operator/orgs/{}", ann.org), &json!({ "status": status })).await.expect(200);
        };
        standing("suspended").await;
        // Ann's is due first, so who comes for Bob's has come for hers; the second time it rests.
        for round in 2..=3 {
            let before = shown(&bob, &ids[1]).await["synced_at"].clone();
            house.clock.advance(2 * HOUR);
            once(&bob, &ids[1], |one| one["synced_at"] != before && one["status"] == "done").await;
            assert_eq!((site.times("/bob"), site.times("/ann")), (round, 1));
        }
        standing("active").await;
        let ann = house.sign_in(&ann, "Ann").await;
        let before = shown(&ann, &ids[0]).await["synced_at"].clone();
        house.clock.advance(HOUR);
        let ann = house.sign_in(&ann, "Ann").await;
        once(&ann, &ids[0], |one| one["synced_at"] != before && one["status"] == "done").await;
        assert_eq!(site.times("/ann"), 2, "once, however often it was due");
    }

    async fn of_two_who_change_a_source_at_once_one_is_told_to_read_again(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        site.page("/a", None, "A berth costs 12 euros.");
        let id = set_up(&ann, &place, &json!({ "urls": [site.at("/a")] })).await.expect(201).str("/id").to_owned();
        over(&ann, &id).await;
        let url = format!("/api/v1/sources/{id}");
        let tag = ann.get(&url).await.expect(200).headers["etag"].to_str().expect("text").to_owned();
        let careful = ann.with("if-match", &tag);
        let (six, nine) = (json!({ "every": 6 }), json!({ "every": 9 }));
        let (one, two) = tokio::join!(careful.patch(&url, &six), careful.patch(&url, &nine));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        let won = if one.status == 200 { 6 } else { 9 };
        assert_eq!(shown(&ann, &id).await["every"], json!(won));
    }
}
