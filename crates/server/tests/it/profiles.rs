//! The caller's own profile.

use serde_json::json;

testing::both_stores! {
    async fn one_reads_and_changes_ones_own_profile(house) {
        let ann = house.sign_up("Ann").await;
        let profile = ann.get("/api/v1/user/profile").await.expect(200);
        assert_eq!((profile.str("/name"), profile.str("/email"), profile.str("/id")), ("Ann", "ann@example.com", ann.user.as_str()));
        let tag = profile.headers["etag"].to_str().expect("text");
        let changed = ann.with("if-match", tag).patch("/api/v1/user/profile", &json!({ "name": "Ann Lee" })).await.expect(200);
        assert_eq!(changed.str("/name"), "Ann Lee");
        assert_ne!(changed.headers["etag"].to_str().expect("text"), tag);
        let stale = ann.with("if-match", tag).patch("/api/v1/user/profile", &json!({ "name": "Annie" })).await;
        assert_eq!(stale.expect(412).code(), "stale");
        assert_eq!(ann.get("/api/v1/auth/me").await.expect(200).str("/user/name"), "Ann Lee");
        assert!(house.actions(&ann).await.iter().any(|action| action == "person.updated"));
    }

    async fn nothing_else_can_be_set(house) {
        let ann = house.sign_up("Ann").await;
        for (field, value) in [("email", "x@example.com"), ("id", "usr_01932d6f4b7a7c3e9a51c0ffee15600d"), ("operator", "true")] {
            let answer = ann.patch("/api/v1/user/profile", &json!({ field: value })).await.expect(422);
            assert_eq!(answer.str("/error/param"), field);
        }
        assert_eq!(ann.patch("/api/v1/user/profile", &json!({ "name": "" })).await.expect(422).str("/error/param"), "name");
        house.visitor().get("/api/v1/user/profile").await.expect(401);
    }
}
