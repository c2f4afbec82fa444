//! What people write is sealed on PostgreSQL: bound to its row, found by words that nobody can read, scored as in files.

use store::org::knowledge::chunks::{self, Draft};
use store::org::knowledge::passages::Passages;
use store::org::knowledge::search;
use store::org::knowledge::threads::{self, Author};
use store::org::knowledge::versions;
use store::{Error, Tx};
use testing::TestHouse;

use crate::knowledge::{TEXTS, add_collection, add_document, begin, commit, found, hits, message, thread};

/// What words find in a house whose texts are the same as in any other: places with their scores, the best first.
async fn scores(house: &TestHouse, queries: &[&[&str]]) -> Vec<Vec<(i64, f64)>> {
    let ann = house.sign_up("Ann").await;
    let scope = house.scope(&ann).await;
    let mut tx = begin(house, &scope).await;
    let [here, there] = [add_collection(&mut tx, &scope, "here").await, add_collection(&mut tx, &scope, "there").await];
    let many = format!("{} once and for all", "again ".repeat(400));
    let long = "words and more words that go on beyond what an index counts to, ".repeat(1500);
    let more = [
        "Ünïcödé straße, naïve café; ЖУРНАЛ журналы 日本語 ελληνικά",
        "o'clock rock'n'roll state-of-the-art e-mail a_b x+y 3.14 1,000 v1.2.3 #hash @at",
        "",
        "...",
        "generalization generalizations generalize general",
        &many,
        &long,
        "emoji 🐺 wolf 🐺🐺 and tab\tand\u{0}nul and e\u{301}clair",
        "heading",
        "ing heading run",
    ];
    let texts: Vec<&str> = TEXTS.iter().copied().chain(more).collect();
    // PostgreSQL knows no zero in a text that is not sealed, and neither does a document.
    let texts: Vec<String> = texts.iter().map(|text| text.replace('\u{0}', " ")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    add_document(&mut tx, &scope, &here, "one", &texts).await;
    add_document(&mut tx, &scope, &there, "two", &["wolves run", "bread and bread", "nothing else"]).await;
    commit(tx).await;
    let mut tx = house.store().open(&scope).read().await.expect("begins");
    let mut all = Vec::new();
    for words in queries {
        for collections in [&[here.number][..], &[there.number], &[here.number, there.number]] {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            let found = hits(&mut tx, &words, collections, 50).await;
            all.push(found.into_iter().map(|hit| (hit.number, hit.score)).collect());
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_give_the_same_scores() {
    let queries: &[&[&str]] = &[
        &["wolves"],
        &["RUN", "running", "bread"],
        &["harbour", "bread", "the", "animals"],
        &["foo-bar"],
        &["don't"],
        &["example.com"],
        &["heading run"],
        &["animals heading"],
        &["café"],
        &["strasse"],
        &["straße"],
        &["журнал"],
        &["日本語"],
        &["ελληνικά"],
        &["state-of-the-art"],
        &["the-art-state"],
        &["again"],
        &["again-again"],
        &["words"],
        &["generalize"],
        &["3.14"],
        &["v1.2.3"],
        &["🐺"],
        &["eclair"],
        &["nowhere"],
        &["", "..."],
        &["a", "and", "of", "in", "to"],
    ];
    let (files, scaled) = (TestHouse::sqlite().await, TestHouse::postgres().await);
    let (in_files, there) = (scores(&files, queries).await, scores(&scaled, queries).await);
    assert!(in_files.iter().filter(|hits| !hits.is_empty()).count() > 30, "{in_files:?}");
    for (at, (one, other)) in in_files.iter().zip(&there).enumerate() {
        let words = queries[at / 3];
        assert_eq!(one.len(), other.len(), "{words:?}: {one:?} in files, {other:?} on PostgreSQL");
        for (one, other) in one.iter().zip(other) {
            assert!(one.0 == other.0 && (one.1 - other.1).abs() < 1e-12, "{words:?}: {one:?} in files, {other:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_text_that_was_moved_does_not_open() {
    let house = TestHouse::postgres().await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let mut rows = Vec::new();
    for client in [&ann, &bob] {
        let scope = house.scope(client).await;
        let mut tx = begin(&house, &scope).await;
        let here = add_collection(&mut tx, &scope, "here").await;
        let document = add_document(&mut tx, &scope, &here, "one", &["red", "blue"]).await;
        versions::keep_content(&mut tx, document.id, 1, b"red and blue".to_vec()).await.expect("kept");
        let talk = thread(&tx, &scope, "colours", None);
        threads::insert(&mut tx, &talk).await.expect("a conversation");
        let said = [
            message(&tx, talk.id, Author::User, "Which one?", vec![]),
            message(&tx, talk.id, Author::Assistant, "The red one.", vec![]),
        ];
        for message in &said {
            threads::say(&mut tx, message).await.expect("said");
        }
        commit(tx).await;
        rows.push((scope, document, talk, said));
    }
    let owner = house.raw().await;
    let reads = async |sees: &str| {
        let (scope, document, talk, said) = &rows[0];
        let mut tx: Tx = house.store().open(scope).read().await.expect("begins");
        let mut failed = Vec::new();
        let mut note = |what: &'static str, error: Option<Error>| match error {
            Some(Error::Sealed(_)) => failed.push(what),
            Some(other) => panic!("{sees}: {what}: {other}"),
            None => {}
        };
        note("passages", chunks::list(&mut tx, document.id, None, 9).await.err());
        note("content", versions::content(&mut tx, document.id, 1).await.err());
        note("title", threads::get(&mut tx, talk.id).await.err());
        note("question", threads::message(&mut tx, talk.id, said[0].id).await.err());
        failed
    };
    assert_eq!(reads("as it was").await, Vec::<&str>::new());
    let ours = format!("org_id = '{}'", domain::Id::uuid(rows[0].0.org()));
    let theirs = format!("org_id = '{}'", domain::Id::uuid(rows[1].0.org()));
    for (change, failing) in [
        // To another row, to another column, to another organisation, and nowhere: the same bytes opened before.
        (
            format!(
                "UPDATE org.chunks a SET text = b.text FROM org.chunks b WHERE a.{ours} AND b.{ours} AND a.place = 0 AND b.place = 1"
            ),
            "passages",
        ),
        (format!("UPDATE org.chunks SET heading = text WHERE {ours}"), "passages"),
        (
            format!(
                "UPDATE org.chunks a SET text = b.text FROM org.chunks b WHERE a.{ours} AND b.{theirs} AND a.place = b.place"
            ),
            "passages",
        ),
        (
            format!("UPDATE org.versions a SET content = b.content FROM org.versions b WHERE a.{ours} AND b.{theirs}"),
            "content",
        ),
        (
            format!(
                "UPDATE org.versions SET content = overlay(content PLACING '\\x00' FROM 20) WHERE {ours} AND get_byte(content, 19) <> 0"
            ),
            "content",
        ),
        (format!("UPDATE org.threads a SET title = b.title FROM org.threads b WHERE a.{ours} AND b.{theirs}"), "title"),
        (format!("UPDATE org.messages SET content = detail WHERE {ours}"), "question"),
        (
            format!(
                "UPDATE org.messages a SET content = b.content FROM org.messages b WHERE a.{ours} AND b.{ours} AND a.author = 'user' AND b.author = 'assistant'"
            ),
            "question",
        ),
    ] {
        owner.batch_execute("CREATE SCHEMA kept; CREATE TABLE kept.chunks AS TABLE org.chunks; CREATE TABLE kept.versions AS TABLE org.versions;
            CREATE TABLE kept.threads AS TABLE org.threads; CREATE TABLE kept.messages AS TABLE org.messages").await.expect("copied");
        let changed = owner.execute(&change, &[]).await.expect(&change);
        assert!(changed > 0, "{change}");
        assert_eq!(reads(&change).await, [failing], "{change}");
        owner.batch_execute("UPDATE org.chunks a SET heading = b.heading, text = b.text FROM kept.chunks b WHERE a.id = b.id;
            UPDATE org.versions a SET content = b.content FROM kept.versions b WHERE a.document_id = b.document_id;
            UPDATE org.threads a SET title = b.title FROM kept.threads b WHERE a.id = b.id;
            UPDATE org.messages a SET content = b.content FROM kept.messages b WHERE a.id = b.id; DROP SCHEMA kept CASCADE").await.expect("put back");
        assert_eq!(reads("put back").await, Vec::<&str>::new());
    }
    // A text that nobody sealed is not taken by the database.
    for plain in [
        "UPDATE org.messages SET content = 'plain words that are long enough to be something sealed'::text",
        "UPDATE org.messages SET content = 'plain words that are long enough to be something sealed'::bytea",
        "UPDATE org.threads SET title = ''::bytea",
    ] {
        owner.execute(plain, &[]).await.expect_err(plain);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_words_are_equal_in_one_organisation_alone() {
    let house = TestHouse::postgres().await;
    let mut seen = Vec::new();
    for name in ["Ann", "Bob"] {
        let client = house.sign_up(name).await;
        let scope = house.scope(&client).await;
        let mut tx = begin(&house, &scope).await;
        let here = add_collection(&mut tx, &scope, "here").await;
        add_document(&mut tx, &scope, &here, "one", &["xylozephyr", "the xylozephyrs sing"]).await;
        assert_eq!(found(&mut tx, &["xylozephyr"], &[here.number]).await, [0, 1]);
        commit(tx).await;
        let words = format!(
            "SELECT words::text, length FROM org.chunks WHERE org_id = '{}' ORDER BY place",
            domain::Id::uuid(scope.org())
        );
        let rows = house.raw().await.query(&words, &[]).await.expect("read");
        let words: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert!(words.iter().all(|(words, _)| !words.contains("xylo") && !words.contains("sing")), "{words:?}");
        assert_eq!((words[0].1, words[1].1), (2, 4), "with the heading");
        let hashes = |words: &str| -> std::collections::BTreeSet<String> {
            words.split(' ').filter_map(|word| word.split(':').next().map(str::to_owned)).collect()
        };
        let (first, second) = (hashes(&words[0].0), hashes(&words[1].0));
        assert_eq!((first.len(), second.len(), first.intersection(&second).count()), (2, 4, 2));
        seen.push(second);
    }
    assert_eq!(seen[0].intersection(&seen[1]).count(), 0);
}

/// How fast passages open, and how long their words take; to look at by hand, in a release build.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn how_fast_passages_open() {
    let house = TestHouse::postgres().await;
    let ann = house.sign_up("Ann").await;
    let scope = house.scope(&ann).await;
    let mut tx = begin(&house, &scope).await;
    let here = add_collection(&mut tx, &scope, "here").await;
    let document = add_document(&mut tx, &scope, &here, "one", &["first"]).await;
    let draft = |number: usize| Draft {
        heading: "A heading > of two parts".into(),
        text: (0..140).map(|at| format!("word{} ", (number * 31 + at * at) % 5000)).collect(),
        page: None,
        starts: 0,
        ends: 1,
    };
    let drafts: Vec<Draft> = (0..8192).map(draft).collect();
    let began = std::time::Instant::now();
    chunks::replace(&mut tx, document.id, &drafts).await.expect("replaced");
    eprintln!("{:?} to write {} passages", began.elapsed(), drafts.len());
    commit(tx).await;
    for _ in 0..3 {
        let mut tx = house.store().open(&scope).read().await.expect("begins");
        let began = std::time::Instant::now();
        let all = chunks::list(&mut tx, document.id, None, 8192).await.expect("listed");
        eprintln!("{:?} to read {}", began.elapsed(), all.len());
        let mut passages = Passages::default();
        passages.read_on(&mut tx, 0).await.expect("read");
        let words: Vec<String> = ["word7", "word400", "word1999", "nothing"].map(String::from).to_vec();
        let began = std::time::Instant::now();
        let hits = search::by_words(&mut tx, &passages, &words, &[here.number], None, 100).await.expect("found");
        eprintln!("{:?} to find {}", began.elapsed(), hits.len());
    }
}
