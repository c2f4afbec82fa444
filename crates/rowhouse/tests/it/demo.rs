//! The demo world, on both engines.

use tenancy::demo;
use testing::both_stores;

both_stores! {
    async fn the_demo_world_is_whole_and_quickly_made(house) {
        let began = std::time::Instant::now();
        let made = demo::build(&house.house).await.expect("made");
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
        assert_eq!(made.keys.len(), 2);
        let checks = demo::verify(&house.house).await.expect("checked");
        let failed: Vec<_> = checks.iter().filter(|check| check.outcome.is_err()).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert!(checks.len() > 30);
        // Its keys work, and its people sign in like anybody.
        let me = house.visitor().with_token(Some(&made.keys[0].1)).get("/api/v1/auth/me").await.expect(200);
        assert_eq!(me.str("/organization/name"), "Acme");
        let body = serde_json::json!({ "email": "dan@acme.example", "password": demo::PASSWORD });
        house.visitor().post("/api/v1/auth/login", &body).await.expect(200);
    }

    async fn a_start_that_was_cut_short_is_finished_by_the_next(house) {
        // The future is dropped at a random wait, as a kill would.
        let limit = std::time::Duration::from_millis(30);
        for round in 1..200 {
            if tokio::time::timeout(limit * round, demo::build(&house.house)).await.is_ok_and(|made| made.is_ok()) {
                break;
            }
            let untouched = house.store().is_untouched().await.expect("asked");
            assert!(untouched || demo::is_half_made(&house.house).await.expect("asked"), "the next start goes on");
        }
        let checks = demo::verify(&house.house).await.expect("checked");
        let failed: Vec<_> = checks.iter().filter(|check| check.outcome.is_err()).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert!(!demo::is_half_made(&house.house).await.expect("asked"));
    }

    async fn making_it_again_changes_nothing(house) {
        demo::build(&house.house).await.expect("made");
        let before = house.store().counts().await.expect("counted");
        let again = demo::build(&house.house).await.expect("made");
        assert!(again.keys.is_empty());
        let after = house.store().counts().await.expect("counted");
        assert_eq!((before.people, before.organisations), (4, 3));
        assert_eq!((after.people, after.organisations), (4, 3));
        let checks = demo::verify(&house.house).await.expect("checked");
        assert!(checks.iter().all(|check| check.outcome.is_ok()), "{checks:#?}");
    }

    async fn its_people_are_safe_with_passwords_of_their_own(house) {
        assert!(demo::open_doors(&house.house).await.expect("asked").is_empty());
        demo::build(&house.house).await.expect("made");
        let all: Vec<_> = demo::RESIDENTS.iter().map(|resident| resident.email).collect();
        assert_eq!(demo::open_doors(&house.house).await.expect("asked"), all);
        let body = serde_json::json!({ "email": all[0], "password": demo::PASSWORD });
        let answer = house.visitor().post("/api/v1/auth/login", &body).await.expect(200);
        let change = serde_json::json!({ "current": demo::PASSWORD, "new": "a lamp behind the green door" });
        let changed = house.visitor().with_tokens(&answer).put("/api/v1/auth/password", &change).await;
        assert!((200..300).contains(&changed.status), "{}", changed.text);
        assert_eq!(demo::open_doors(&house.house).await.expect("asked"), all[1..]);
    }

    async fn what_is_missing_is_found(house) {
        let checks = demo::verify(&house.house).await.expect("checked");
        assert!(checks.iter().any(|check| check.what == "Acme" && check.outcome.is_err()), "{checks:#?}");
        assert!(checks.iter().any(|check| check.what == "usage rows in all" && check.outcome.is_err()));
    }
}
