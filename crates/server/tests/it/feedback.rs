//! What people say about the installation reaches those who run it, and nobody else.

use serde_json::json;

const URL: &str = "/api/v1/feedback";

testing::both_stores! {
    async fn it_comes_to_the_operators_as_a_mail(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        assert_eq!(house.visitor().get("/api/v1/about").await.expect(200).json["feedback"], json!(true));
        let said = json!({ "text": "I like it.\nBut where is the salt?", "score": 9, "page": "/o/acme/ask" });
        ann.post(URL, &said).await.expect(202);
        let mail = house.mail("olga@example.com", "What somebody says about Rowhouse").await;
        for part in ["ann@example.com", "> I like it.\n> But where is the salt?", "9 of 10", "/o/acme/ask"] {
            assert!(mail.body.contains(part), "{part}: {}", mail.body);
        }
        assert!(house.mails_to("ann@example.com").await.is_empty());
        // It is among the mails of the installation, and goes with its author.
        assert!(olga.get("/api/v1/operator/mails").await.expect(200).text.contains("What somebody says"));
        house.visitor().post(URL, &said).await.expect(401);
    }

    async fn what_is_wrong_is_named_and_so_is_too_much(house) {
        let ann = house.sign_up("Ann").await;
        for (body, field) in [
            (json!({ "text": " " }), "text"),
            (json!({ "text": "x".repeat(4001) }), "text"),
            (json!({ "text": "x", "score": 11 }), "score"),
            (json!({ "text": "x", "score": -1 }), "score"),
            (json!({ "text": "x", "page": "a\nb" }), "page"),
            (json!({ "text": "x", "to": "bob@example.com" }), "to"),
        ] {
            assert_eq!(ann.post(URL, &body).await.expect(422).str("/error/param"), field, "{body}");
        }
        for _ in 0..5 {
            ann.post(URL, &json!({ "text": "Again." })).await.expect(202);
        }
        ann.post(URL, &json!({ "text": "Again." })).await.expect(429);
    }
}
