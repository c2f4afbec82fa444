//! What strangers can learn from how long an answer takes: nothing, since known and unknown addresses make the same work. Compared are
//! the statements, one by one, and the hashings; not the time.

use serde_json::{Value, json};
use testing::{PASSWORD, TestHouse, Wish};

fn verified() -> Wish {
    Wish { verify_mail: true, ..Wish::default() }
}

/// What a request by a stranger makes to do.
async fn work(house: &TestHouse, path: &str, body: Value, status: u16) -> Vec<String> {
    let _ = testing::log::work();
    house.visitor().post(path, &body).await.expect(status);
    testing::log::work()
}

fn count(work: &[String], what: &str) -> usize {
    work.iter().filter(|one| one.contains(what)).count()
}

testing::both_stores! {
    in verified();
    async fn known_and_unknown_addresses_make_the_same_work(house) {
        house.verified("known@example.com").await;
        let newcomer = |email: &str| json!({ "email": email, "password": PASSWORD, "name": "Somebody" });
        house.visitor().post("/api/v1/auth/signup", &newcomer("waiting@example.com")).await.expect(202);
        // Nobody has got a mail of late.
        house.clock.advance(std::time::Duration::from_mins(5));
        for path in ["/api/v1/auth/login", "/api/v1/auth/session"] {
            let wrong = |email: &str| json!({ "email": email, "password": "not the password" });
            let known = work(&house, path, wrong("known@example.com"), 401).await;
            let unknown = work(&house, path, wrong("unknown@example.com"), 401).await;
            assert_eq!(known, unknown, "{path}");
            assert!(count(&known, "hashing") == 1 && count(&known, "INSERT INTO audit") == 1, "{known:?}");
        }
        for path in ["/api/v1/auth/password/forgot", "/api/v1/auth/verify/resend"] {
            let ask = |email: &str| json!({ "email": email });
            let known = work(&house, path, ask("known@example.com"), 202).await;
            let waiting = work(&house, path, ask("waiting@example.com"), 202).await;
            let unknown = work(&house, path, ask("unknown@example.com"), 202).await;
            assert_eq!(known, unknown, "{path}");
            assert_eq!(waiting, unknown, "{path}");
            assert_eq!((count(&known, "INSERT INTO mails"), count(&known, "INSERT INTO audit")), (1, 1), "{known:?}");
        }
        assert!(house.mails_to("unknown@example.com").await.is_empty());
        // Who signs up makes rows that who is known has already; what takes time is the same.
        house.clock.advance(std::time::Duration::from_mins(5));
        for email in ["known@example.com", "waiting@example.com", "new@example.com"] {
            let work = work(&house, "/api/v1/auth/signup", newcomer(email), 202).await;
            let dear = ["hashing", "COMMIT", "INSERT INTO mails"].map(|what| count(&work, what));
            assert_eq!(dear, [1, 2, 1], "{email}: {work:?}");
        }
    }
}
