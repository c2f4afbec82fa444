//! Answers without a language model, out of real files: the right passage, a sentence that answers, offsets that open it; and nothing
//! where the files say nothing.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testing::{Answer, Client, TestHouse, both_stores};

use crate::answers::collection;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/knowledge");
const FILES: [&str; 5] =
    ["travel-policy.pdf", "employee-handbook.docx", "support-runbook.md", "price-list.csv", "opening-hours.html"];

/// Brings the example documents; gives the id of each.
async fn examples(house: &TestHouse, who: &Client) -> Vec<(&'static str, String)> {
    let place = collection(who, "project").await;
    let url = format!("/api/v1/collections/{place}/documents");
    let mut ids = Vec::new();
    for name in FILES {
        let bytes = std::fs::read(Path::new(EXAMPLES).join(name)).expect("an example");
        ids.push((name, who.upload(&url, name, &bytes).await.expect(202).str("/document/id").to_owned()));
    }
    for (name, id) in &ids {
        let began = std::time::Instant::now();
        loop {
            let shown = who.get(&format!("/api/v1/documents/{id}")).await.expect(200);
            if shown.str("/status") == "ready" && shown.json["passages"] == shown.json["embedded"] {
                break;
            }
            let waits = shown.str("/status") != "failed" && began.elapsed() < Duration::from_mins(1);
            assert!(waits, "{name}: {}", shown.text);
            // Work that comes too early is tried again when the clock says so.
            house.clock.advance(Duration::from_millis(50));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    ids
}

async fn thread(who: &Client) -> String {
    let id = who.post("/api/v1/threads", &json!({})).await.expect(201).str("/id").to_owned();
    format!("/api/v1/threads/{id}/messages")
}

async fn ask(who: &Client, path: &str, question: &str) -> Answer {
    who.post(path, &json!({ "content": question })).await.expect(201)
}

/// What a question finds, for who looks why an answer is as it is.
async fn found(who: &Client, question: &str) -> String {
    let found = who.post("/api/v1/search", &json!({ "query": question, "limit": 4 })).await.expect(200).json;
    let line = |one: &Value| format!("{} {} {}", one["title"], one["heading"], one["why"]);
    found["results"].as_array().expect("a list").iter().map(line).collect::<Vec<_>>().join("\n")
}

const ANSWERED: &[(&str, &str, &str)] = &[
    // Those of the README.
    ("How much may a hotel night in Oslo cost?", "210 euros", "travel-policy.pdf"),
    ("How many days of leave can I carry over to the next year?", "five days", "employee-handbook.docx"),
    ("What does fault code E27 mean?", "3.1 V", "support-runbook.md"),
    ("When do I have to send in my expenses?", "30 days", "travel-policy.pdf"),
    ("How long is the guarantee for a station?", "three years", "support-runbook.md"),
    ("When is the showroom in Bergen open on Saturday?", "10:00–14:00", "opening-hours.html"),
    ("What does the battery pack cost?", "38.50", "price-list.csv"),
    ("When do I need a doctor's note?", "fourth day", "employee-handbook.docx"),
    ("Is alcohol paid?", "not paid", "travel-policy.pdf"),
    ("How long does a guided tour take?", "75 minutes", "opening-hours.html"),
    ("How much money is there for courses and books?", "1,200", "employee-handbook.docx"),
    ("What should I do when the lamp blinks red?", "dry for a day", "support-runbook.md"),
    ("May I visit a mountain station alone?", "alone", "travel-policy.pdf"),
];

const UNANSWERED: &[&str] = &[
    "Who is the managing director?",
    "How many days does it take to fly to the moon?",
    "What is the capital of Australia?",
    "How do I reset my password?",
    "Who won the football match on Saturday?",
    "What may we do, and how much, and when?",
    "When was the French Revolution?",
    "Which programming language is used for the website?",
    "How do I bake bread?",
    "What is the chief executive's salary?",
];

both_stores! {
    async fn real_questions_are_answered_from_the_right_passage(house) {
        let ann = house.sign_up("Ann").await;
        let files = examples(&house, &ann).await;
        let mut wrong = Vec::new();
        for (question, says, from) in ANSWERED {
            let answer = ask(&ann, &thread(&ann).await, question).await;
            let id = &files.iter().find(|(name, _)| name == from).expect("a file").1;
            let citations = answer.json["citations"].as_array().expect("a list");
            let Some(citation) = citations.iter().find(|one| one["document_id"] == **id) else {
                wrong.push(format!("{question}\n{}\n{}", answer.str("/content"), found(&ann, question).await));
                continue;
            };
            let quote = citation["quote"].as_str().expect("a quote");
            if !answer.str("/content").contains(says) || !quote.contains(says) {
                wrong.push(format!("{question}\n{}\nquote: {quote}\n{}", answer.str("/content"), found(&ann, question).await));
                continue;
            }
            let text = ann.get(&format!("/api/v1/documents/{id}/content")).await.expect(200);
            let at = |name: &str| usize::try_from(citation[name].as_i64().expect("a number")).expect("not negative");
            assert!(text.str("/text")[at("starts")..at("ends")].contains(says), "{question}: the offsets open the passage");
            assert_eq!((&answer.json["extractive"], &answer.json["unknown"]), (&json!(true), &json!(false)));
        }
        assert!(wrong.is_empty(), "{} of {}:\n\n{}", wrong.len(), ANSWERED.len(), wrong.join("\n\n"));
    }

    async fn what_the_files_do_not_say_is_not_known(house) {
        let ann = house.sign_up("Ann").await;
        examples(&house, &ann).await;
        let mut wrong = Vec::new();
        for question in UNANSWERED {
            let answer = ask(&ann, &thread(&ann).await, question).await;
            if answer.str("/content") != "I do not know from your documents." || answer.json["unknown"] != json!(true) {
                wrong.push(format!("{question}\n{}\n{}", answer.str("/content"), found(&ann, question).await));
                continue;
            }
            assert_eq!(answer.json["citations"], json!([]));
        }
        assert!(wrong.is_empty(), "{} of {}:\n\n{}", wrong.len(), UNANSWERED.len(), wrong.join("\n\n"));
    }

    async fn a_further_question_goes_on_from_the_one_before(house) {
        let ann = house.sign_up("Ann").await;
        examples(&house, &ann).await;
        let path = thread(&ann).await;
        assert!(ask(&ann, &path, "How much may a hotel night in Oslo cost?").await.str("/content").contains("210"));
        let next = ask(&ann, &path, "And elsewhere in Norway?").await;
        assert!(next.str("/content").contains("165 euros"), "{}", next.text);
        // Another subject is not mixed with it.
        let other = ask(&ann, &path, "How many days of leave can I carry over to the next year?").await;
        assert!(other.str("/content").contains("five days") && !other.str("/content").contains("Oslo"), "{}", other.text);
        let until = ask(&ann, &path, "Until when?").await;
        assert!(until.str("/content").contains("30 April"), "{}", until.text);
        // Alone the same words ask for nothing.
        let alone = ask(&ann, &thread(&ann).await, "Until when?").await;
        assert_eq!(alone.json["unknown"], json!(true), "{}", alone.text);
    }

    async fn two_organisations_answer_the_same_question_each_in_their_own_words(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let texts = [(&ann, "The launch of the product is on the third of March."), (&bob, "For the product the launch comes in late autumn.")];
        for (who, text) in texts {
            let place = collection(who, "project").await;
            house.document(&house.scope(who).await, &place, &format!("Plan {}", who.org), &[text]).await;
        }
        // In turns, so that whatever is remembered of the one is there for the other.
        for (who, own, other, others) in [(&ann, "March", "autumn", &bob), (&bob, "autumn", "March", &ann), (&ann, "March", "autumn", &bob)] {
            let path = thread(who).await;
            let question = "When is the launch of the product?";
            let chat = json!({ "model": "rowhouse/answers", "messages": [{ "role": "user", "content": question }] });
            let search = json!({ "query": question, "explain": true });
            for told in [
                ask(who, &path, question).await,
                who.get(&path).await.expect(200),
                who.with("accept", "text/event-stream").post(&path, &json!({ "content": question })).await.expect(200),
                who.post("/v1/chat/completions", &chat).await.expect(200),
                who.post("/api/v1/search", &search).await.expect(200),
            ] {
                assert!(told.text.contains(own) && !told.text.contains(other) && !told.text.contains(&others.org), "{}", told.text);
            }
            others.get(&path).await.expect(404);
        }
    }
}
