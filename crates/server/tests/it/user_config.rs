//! Each person's own configuration.

use serde_json::json;

const URL: &str = "/api/v1/user/config";

testing::both_stores! {
    async fn each_person_has_their_own(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "viewer").await;
        let usual = json!({
            "planning_time": "08:00", "time_zone": "UTC", "language": "en", "theme": "system", "notifications": {}, "guide": {},
            "layers": { "planning_time": "installation", "time_zone": "organization", "language": "installation", "theme": "installation" },
            "version": 0, "updated_at": null,
        });
        assert_eq!(ann.get(URL).await.expect(200).json, usual);
        ann.patch(URL, &json!({ "planning_time": "07:30" })).await.expect(200);
        assert_eq!(ann.get(URL).await.expect(200).str("/planning_time"), "07:30");
        assert_eq!(max.get(URL).await.expect(200).json, usual);
        assert_eq!(bob.get(URL).await.expect(200).json, usual);
        bob.in_org(&ann.org).get(URL).await.expect(404);
        // The same person in another organisation starts anew.
        let elsewhere = house.bring(&bob, &ann, "Ann", "member").await;
        assert_eq!(elsewhere.get(URL).await.expect(200).json, usual);
    }

    async fn changes_merge_and_are_versioned(house) {
        let ann = house.sign_up("Ann").await;
        let first = ann.patch(URL, &json!({ "planning_time": "07:30", "notifications": { "news": false } })).await.expect(200);
        assert_eq!(first.headers["etag"], "\"1\"");
        assert_eq!(first.json, ann.get(URL).await.expect(200).json);
        let stale = ann.with("if-match", "\"0\"");
        assert_eq!(stale.patch(URL, &json!({ "language": "de" })).await.expect(412).code(), "stale");
        let fresh = ann.with("if-match", "\"1\"");
        let second = fresh.patch(URL, &json!({ "time_zone": "europe/berlin", "notifications": { "keys": true } })).await.expect(200);
        assert_eq!(second.str("/time_zone"), "Europe/Berlin");
        assert_eq!(second.json["notifications"], json!({ "keys": true, "news": false }));
        ann.patch(URL, &json!({ "planning_time": null, "notifications": { "news": null } })).await.expect(200);
        let now = ann.get(URL).await.expect(200);
        assert_eq!((now.str("/planning_time"), now.json["version"].clone()), ("08:00", json!(3)));
        let page = ann.get(&format!("{URL}/versions?limit=2")).await.expect(200);
        assert_eq!(page.json.pointer("/data/0/version"), Some(&json!(3)));
        let rest = ann.get(&format!("{URL}/versions?limit=2&cursor={}", page.str("/next_cursor"))).await.expect(200);
        assert_eq!(rest.json.pointer("/data/0/planning_time"), Some(&json!("07:30")));
        assert_eq!(ann.put(&format!("{URL}/restore"), &json!({ "version": 9 })).await.expect(422).str("/error/param"), "version");
        let back = ann.put(&format!("{URL}/restore"), &json!({ "version": 1 })).await.expect(200);
        assert_eq!((back.str("/planning_time"), back.json["version"].clone()), ("07:30", json!(4)));
    }

    async fn what_nobody_set_comes_from_the_organisation(house) {
        let ann = house.sign_up("Ann").await;
        ann.patch(&format!("/api/v1/orgs/{}", ann.org), &json!({ "time_zone": "Asia/Tokyo" })).await.expect(200);
        let all = ann.get(URL).await.expect(200);
        assert_eq!((all.str("/time_zone"), all.str("/layers/time_zone")), ("Asia/Tokyo", "organization"));
        let own = ann.patch(URL, &json!({ "time_zone": "Europe/Berlin", "theme": "dark" })).await.expect(200);
        assert_eq!((own.str("/time_zone"), own.str("/layers/time_zone"), own.str("/layers/theme")), ("Europe/Berlin", "user", "user"));
        let reset = ann.patch(URL, &json!({ "time_zone": null })).await.expect(200);
        assert_eq!((reset.str("/time_zone"), reset.str("/theme")), ("Asia/Tokyo", "dark"));
    }

    async fn the_guide_goes_on_where_it_was_left(house) {
        let ann = house.sign_up("Ann").await;
        ann.patch(URL, &json!({ "guide": { "organization": "done", "invitation": "skipped" } })).await.expect(200);
        ann.patch(URL, &json!({ "guide": { "knowledge": "done" } })).await.expect(200);
        let guide = ann.get(URL).await.expect(200).json["guide"].clone();
        assert_eq!(guide, json!({ "organization": "done", "invitation": "skipped", "knowledge": "done" }));
        let back = ann.patch(URL, &json!({ "guide": { "invitation": null } })).await.expect(200);
        assert_eq!(back.json["guide"], json!({ "organization": "done", "knowledge": "done" }));
    }

    async fn what_is_wrong_is_named_and_changes_nothing(house) {
        let ann = house.sign_up("Ann").await;
        for (body, param) in [
            (json!({ "planning_time": "25:00" }), "planning_time"),
            (json!({ "time_zone": "Mars/Base" }), "time_zone"),
            (json!({ "language": "English" }), "language"),
            (json!({ "notifications": { "news": "yes" } }), "notifications.news"),
            (json!({ "notifications": [] }), "notifications"),
            (json!({ "colour": "red" }), "colour"),
            (json!({ "theme": "pink" }), "theme"),
            (json!({ "guide": { "key": "maybe" } }), "guide"),
            (json!({ "planning_time": "07:00", "user_id": "usr_1" }), "user_id"),
        ] {
            let refused = ann.patch(URL, &body).await.expect(422);
            assert_eq!(refused.str("/error/param"), param);
        }
        let many: serde_json::Map<_, _> = (0..65).map(|n| (format!("k{n}"), json!(true))).collect();
        assert_eq!(ann.patch(URL, &json!({ "notifications": many })).await.expect(422).str("/error/param"), "notifications");
        assert_eq!(ann.get(URL).await.expect(200).json["version"], json!(0));
    }

    async fn of_two_writers_who_read_the_same_one_wins(house) {
        let ann = house.sign_up("Ann").await;
        let fresh = ann.with("if-match", "\"0\"");
        let (one, two) = (json!({ "planning_time": "06:00" }), json!({ "planning_time": "09:00" }));
        let (one, two) = tokio::join!(fresh.patch(URL, &one), fresh.patch(URL, &two));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        assert_eq!(ann.get(URL).await.expect(200).json["version"], json!(1));
    }
}
