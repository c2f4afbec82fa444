//! Passages and vectors, and what words and filters find.

use std::time::Duration;

use serde_bytes::ByteBuf;
use store::org::knowledge;
use store::org::knowledge::chunks::{self, Vector};
use store::org::knowledge::documents::{self, Document};
use store::org::knowledge::passages::Passages;
use store::org::knowledge::search::{self, Filter};
use store::{Engine, Error, Json};
use testing::{TestHouse, both_stores};

use crate::knowledge::{
    NOWHERE, TEXTS, add_collection, add_document, alike, begin, changes, commit, document, drafts, found, hits,
};

both_stores! {
    async fn a_filter_that_the_database_cannot_read_is_refused_and_no_mistake(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let here = add_collection(&mut tx, &scope, "here").await;
        add_document(&mut tx, &scope, &here, "one", &["red"]).await;
        commit(tx).await;
        let mut tx = begin(&house, &scope).await;
        let filter = Filter { kinds: vec!["te\0xt".into()], ..Filter::default() };
        let found = search::filtered(&mut tx, &filter, &[here.number]).await;
        drop(tx);
        let mut tx = begin(&house, &scope).await;
        let wanted = store::audit::Filter { action: Some("a\0b".into()), ..Default::default() };
        let listed = store::org::audits::list(&mut tx, wanted, i64::MAX, 9).await;
        match house.engine() {
            Engine::Sqlite => assert!(found.expect("searched").is_empty() && listed.expect("read").is_empty()),
            Engine::Postgres => {
                assert!(matches!(found, Err(Error::Refused(_))), "{found:?}");
                assert!(matches!(listed, Err(Error::Refused(_))), "{listed:?}");
            }
        }
    }

    async fn passages_and_vectors_are_kept(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let here = add_collection(&mut tx, &scope, "here").await;
        let one = add_document(&mut tx, &scope, &here, "one", &["red", "green", "blue"]).await;
        let all = chunks::list(&mut tx, one.id, None, 9).await.expect("listed");
        assert_eq!(all.iter().map(|chunk| (chunk.place, chunk.text.as_str())).collect::<Vec<_>>(), [(0, "red"), (1, "green"), (2, "blue")]);
        let [first, second, third] = [&all[0], &all[1], &all[2]];
        assert_eq!((first.document_id, first.collection, first.page, first.starts, first.ends), (one.id, here.number, Some(2), 5, 9));
        assert_eq!(chunks::list(&mut tx, one.id, Some(0), 1).await.expect("listed"), std::slice::from_ref(second));
        assert_eq!(chunks::get(&mut tx, third.id).await.expect("there"), *third);
        assert_eq!(chunks::find(&mut tx, third.number).await.expect("looked"), Some(third.clone()));

        let vector = |chunk: i64| Vector { chunk, collection: here.number, scale: 7_874_016, value: ByteBuf::from(vec![1, 0xff, 0x80]) };
        assert!(chunks::embed(&mut tx, "mini", &vector(first.number)).await.expect("added"));
        assert!(!chunks::embed(&mut tx, "mini", &vector(first.number)).await.expect("it has one"));
        assert!(chunks::embed(&mut tx, "maxi", &vector(first.number)).await.expect("of another model"));
        assert!(!chunks::embed(&mut tx, "mini", &vector(first.number + 1000)).await.expect("no such passage"));
        let without = chunks::without_vector(&mut tx, one.id, "mini", 9).await.expect("listed");
        assert_eq!(without, [second.clone(), third.clone()]);
        assert!(chunks::embed(&mut tx, "mini", &vector(third.number)).await.expect("added"));
        let before = changes(&mut tx).await;
        chunks::count_embedded(&mut tx, one.id, "mini").await.expect("counted");
        assert_eq!(changes(&mut tx).await, before + 1);
        assert_eq!(documents::get(&mut tx, one.id).await.expect("there").embedded, 2);
        assert_eq!(chunks::vectors(&mut tx, "mini", 0, i64::MAX, 9).await.expect("listed"), [vector(first.number), vector(third.number)]);
        assert_eq!(chunks::vectors(&mut tx, "mini", first.number + 1, i64::MAX, 1).await.expect("listed"), [vector(third.number)]);
        assert_eq!(chunks::vectors(&mut tx, "none", 0, i64::MAX, 9).await.expect("listed"), []);
        assert!(chunks::embed(&mut tx, "mini", &Vector::none(second)).await.expect("added"));
        assert_eq!(chunks::without_vector(&mut tx, one.id, "mini", 9).await.expect("listed"), []);
        assert_eq!(chunks::vectors(&mut tx, "mini", second.number, second.number, 9).await.expect("listed"), [Vector::none(second)]);

        chunks::replace(&mut tx, one.id, &drafts(&["yellow"])).await.expect("replaced");
        let fresh = chunks::list(&mut tx, one.id, None, 9).await.expect("listed");
        assert_eq!((fresh.len(), fresh[0].text.as_str()), (1, "yellow"));
        assert!(fresh[0].number > third.number, "a number is never used again");
        assert!(matches!(chunks::get(&mut tx, third.id).await, Err(Error::NotFound(_))));
        assert_eq!(chunks::vectors(&mut tx, "mini", 0, i64::MAX, 9).await.expect("listed"), []);
        assert_eq!(found(&mut tx, &["blue"], &[here.number]).await, NOWHERE);
        assert_eq!(found(&mut tx, &["yellow"], &[here.number]).await, [0]);
        chunks::replace(&mut tx, one.id, &[]).await.expect("emptied");
        assert_eq!(chunks::list(&mut tx, one.id, None, 9).await.expect("listed"), []);
        commit(tx).await;
        assert_eq!(house.store().org_faults(scope.org()).await.expect("looked"), Vec::<String>::new());
    }

    async fn both_engines_find_the_same_words_in_the_same_order(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let [here, there] = [add_collection(&mut tx, &scope, "here").await, add_collection(&mut tx, &scope, "there").await];
        add_document(&mut tx, &scope, &here, "one", &TEXTS).await;
        commit(tx).await;
        let mut tx = house.store().open(&scope).read().await.expect("begins");
        let here = [here.number];
        for (words, places) in [
            (&["running"][..], &[0, 1][..]),
            (&["RUN"], &[0, 1]),
            (&["bread", "flour"], &[2, 3]),
            (&["harbour", "bread"], &[3, 2]),
            (&["cafe"], &[3]),
            (&["CAFÉ"], &[3]),
            (&["example"], &[4]),
            (&["example.com"], &[4]),
            (&["com.example"], &[]),
            (&["8443"], &[4]),
            (&["foo"], &[4]),
            (&["foo-bar"], &[4]),
            (&["don't"], &[4]),
            (&["nowhere"], &[]),
            // What is in half of them tells little, but is found.
            (&["the", "forest"], &[0, 1, 4, 3]),
            (&["lorem", "nowhere"], &[5]),
        ] {
            assert_eq!(found(&mut tx, words, &here).await, places, "{words:?}");
        }
        assert_eq!(found(&mut tx, &["animals"], &here).await.len(), 6, "in the heading");
        assert_eq!(found(&mut tx, &["bread"], &[there.number]).await, NOWHERE);
        assert_eq!(found(&mut tx, &["bread"], &[]).await, NOWHERE);
        assert_eq!(found(&mut tx, &[], &here).await, NOWHERE);
        assert_eq!(hits(&mut tx, &["run".into()], &here, 1).await.len(), 1);
    }

    async fn a_score_tells_nothing_of_passages_that_are_not_seen(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let mine = add_collection(&mut tx, &scope, "mine").await;
        // All of one length: the mean length of passages is that of the organisation.
        let texts = ["red fox runs home", "blue fox sits down", "red bird sings loud", "grey wolf howls long", "pink pig eats corn"];
        add_document(&mut tx, &scope, &mine, "one", &texts).await;
        let words = ["red", "wolf", "fox"].map(String::from);
        let before = hits(&mut tx, &words, &[mine.number], 10).await;
        assert_eq!(before.len(), 4);
        let theirs = add_collection(&mut tx, &scope, "theirs").await;
        let secret = ["red cars drive fast", "red boats float past", "red trains pass by", "one wolf sleeps here"];
        add_document(&mut tx, &scope, &theirs, "two", &secret).await;
        let after = hits(&mut tx, &words, &[mine.number], 10).await;
        assert_eq!(after.len(), before.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.number, after.number);
            assert!((before.score - after.score).abs() < 1e-9, "{before:?} became {after:?}");
        }
        let both = hits(&mut tx, &words, &[mine.number, theirs.number], 10).await;
        assert!(both.iter().any(|hit| before.iter().any(|one| one.number == hit.number && (one.score - hit.score).abs() > 0.01)), "what is seen counts");
        commit(tx).await;
    }

    /// Nor does the mean length of passages, and what a filter leaves out is left out, but counts.
    async fn what_is_left_out_is_not_given_and_what_is_not_seen_does_not_count(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let mine = add_collection(&mut tx, &scope, "mine").await;
        let texts = ["red fox", "red fox runs home over the hill", "the red red wolf", "a pig", "a cow", "a hen", "a cat", "a dog", "an ant"];
        add_document(&mut tx, &scope, &mine, "one", &texts).await;
        let words = ["red", "wolf"].map(String::from);
        let before = hits(&mut tx, &words, &[mine.number], 10).await;
        assert_eq!(before.len(), 3);
        let theirs = add_collection(&mut tx, &scope, "theirs").await;
        let long = "many other words than theirs that go on and on ".repeat(40);
        add_document(&mut tx, &scope, &theirs, "two", &[&*long, "red", "wolf"]).await;
        let after = hits(&mut tx, &words, &[mine.number], 10).await;
        assert!(alike(&after, &before), "{before:?} became {after:?}");
        let mut passages = Passages::default();
        passages.read_on(&mut tx, 0).await.expect("read");
        assert_eq!((passages.len(), passages.has(before[0].number), passages.has(9999)), (12, true, false));
        let mut only = [before[1].number, before[2].number];
        only.sort_unstable();
        let found = search::by_words(&mut tx, &passages, &words, &[mine.number], Some(&only), 10).await.expect("found");
        assert!(alike(&found, &before[1..]), "{found:?}");
        let found = search::by_words(&mut tx, &passages, &words, &[mine.number], Some(&only), 1).await.expect("found");
        assert!(alike(&found, &before[1..2]), "{found:?}");
        let none = search::by_words(&mut tx, &passages, &words, &[mine.number], Some(&[]), 10).await.expect("found");
        assert_eq!(none, []);
        // What goes is let go, and only that.
        let two = documents::list(&mut tx, theirs.id, None, 9).await.expect("listed").remove(0);
        let state = knowledge::state(&mut tx).await.expect("read");
        documents::delete(&mut tx, two.id).await.expect("deleted");
        let after = knowledge::state(&mut tx).await.expect("read");
        assert_eq!((after.changes, after.losses, after.numbers), (state.changes + 1, state.losses + 1, state.numbers));
        let had = passages.numbers().to_vec();
        passages.let_go(&mut tx).await.expect("read");
        assert_eq!(passages.numbers(), &had[..9]);
        commit(tx).await;
    }

    async fn nothing_in_the_words_is_an_operator(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let here = add_collection(&mut tx, &scope, "here").await;
        add_document(&mut tx, &scope, &here, "one", &TEXTS).await;
        let here = [here.number];
        for word in [
            "", " ", "\"", "\"\"", "*", "-", "^", "(", ")", "{", "a:", "heading:x", "NEAR(x y)", "' OR 1=1 --", "\\", "%", "\u{0}", "\u{1}",
            "<->", "!", "|", "&", ":*", "\u{301}", "日本", "🦊", "-fox", "NOT", "AND", "OR", "$1", "é\"OR\"",
        ] {
            let _ = found(&mut tx, &[word], &here).await;
            assert_eq!(found(&mut tx, &[word, "flour"], &here).await.iter().filter(|place| **place == 2).count(), 1, "{word:?}");
        }
        assert_eq!(found(&mut tx, &["-fox"], &here).await, [0], "no exclusion");
        assert_eq!(found(&mut tx, &["flou*"], &here).await, NOWHERE, "no beginning of a word");
        assert_eq!(found(&mut tx, &["fl\u{0}our"], &here).await, NOWHERE);
        let many: Vec<String> = (0..2000).map(|number| format!("word{number}")).chain(["flour".into()]).collect();
        assert_eq!(hits(&mut tx, &many, &here, 10).await.len(), 1);
    }

    async fn filters_let_through_what_fits_all_of_them(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let [here, there] = [add_collection(&mut tx, &scope, "here").await, add_collection(&mut tx, &scope, "there").await];
        let one = add_document(&mut tx, &scope, &here, "one", &["red"]).await;
        documents::update(&mut tx, &Document { tags: Json(vec!["a".into(), "b\"c".into()]), ..one }).await.expect("tagged");
        house.clock.advance(Duration::from_mins(1));
        let middle = tx.now();
        let two = Document { source: "text".into(), ..document(&tx, &scope, here.id, "two") };
        documents::insert(&mut tx, &two).await.expect("a document");
        chunks::replace(&mut tx, two.id, &drafts(&["green", "blue"])).await.expect("passages");
        documents::show(&mut tx, two.id, 1, Some("two"), "pdf", 2).await.expect("shown");
        add_document(&mut tx, &scope, &there, "three", &["black"]).await;
        let both = [here.number, there.number];
        let none = Filter::default;
        let all = search::filtered(&mut tx, &none(), &both).await.expect("found");
        assert_eq!(all.len(), 4);
        let [red, green, blue, black] = [all[0], all[1], all[2], all[3]];
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (filter, collections, expected) in [
            (none(), &[here.number][..], &[red, green, blue][..]),
            (none(), &[], &[]),
            (Filter { kinds: texts(&["pdf"]), ..none() }, &both, &[green, blue]),
            (Filter { kinds: texts(&["pdf", "text"]), ..none() }, &both, &[red, green, blue, black]),
            (Filter { sources: texts(&["text"]), ..none() }, &both, &[green, blue]),
            (Filter { sources: texts(&["text"]), kinds: texts(&["text"]), ..none() }, &both, &[]),
            (Filter { tags: texts(&["a"]), ..none() }, &both, &[red]),
            (Filter { tags: texts(&["b\"c", "a"]), ..none() }, &both, &[red]),
            (Filter { tags: texts(&["a", "c"]), ..none() }, &both, &[]),
            (Filter { since: Some(middle), ..none() }, &both, &[green, blue, black]),
            (Filter { until: Some(middle), ..none() }, &both, &[red]),
            (Filter { since: Some(middle), until: Some(middle), ..none() }, &both, &[]),
        ] {
            assert_eq!(search::filtered(&mut tx, &filter, collections).await.expect("found"), expected, "{filter:?} in {collections:?}");
        }
    }
}

/// FTS5's own `bm25` over the same texts, where all of them are seen.
#[tokio::test]
async fn who_sees_everything_is_given_the_scores_of_fts5() {
    let house = TestHouse::sqlite().await;
    let ann = house.sign_up("Ann").await;
    let scope = house.scope(&ann).await;
    let vocabulary = ["red", "fox", "runs", "running", "home", "the", "wolf", "café", "bird's", "a", "x-ray", "long"];
    let texts: Vec<String> = (0..150_usize)
        .map(|n| (0..=(n * 7 % 41)).map(|k| vocabulary[(n * n + k * k * 3 + n * k) % 12]).collect::<Vec<_>>().join(" "))
        .collect();
    let mut tx = begin(&house, &scope).await;
    let here = add_collection(&mut tx, &scope, "here").await;
    add_document(&mut tx, &scope, &here, "one", &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    commit(tx).await;
    let plain = rusqlite::Connection::open_in_memory().expect("opens");
    plain
        .execute_batch(
            "CREATE VIRTUAL TABLE f USING fts5 (heading, text, tokenize = 'porter unicode61 remove_diacritics 2')",
        )
        .expect("made");
    for (place, text) in (0_i64..).zip(&texts) {
        plain.execute("INSERT INTO f (rowid, heading, text) VALUES (?1, 'Animals', ?2)", (place, text)).expect("added");
    }
    let mut tx = house.store().open(&scope).read().await.expect("begins");
    for words in
        [&["red"][..], &["fox", "wolf"], &["run", "running", "home"], &["the", "cafe", "bird's"], &["animals", "x-ray"]]
    {
        let quoted: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.replace(['\'', '-'], " "))).collect();
        let mut all = plain
            .prepare("SELECT rowid, -bm25(f, 1.0, 1.0) FROM f WHERE f MATCH ?1 ORDER BY 2 DESC, 1")
            .expect("prepares");
        let rows = all.query_map([quoted.join(" OR ")], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?)));
        let expected: Vec<(i64, f64)> = rows.expect("runs").collect::<Result<_, _>>().expect("rows");
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let mut given = Vec::new();
        for hit in hits(&mut tx, &words, &[here.number], 1000).await {
            given.push((chunks::find(&mut tx, hit.number).await.expect("looked").expect("there").place, hit.score));
        }
        let at = |list: &[(i64, f64)], place: i64| list.iter().find(|one| one.0 == place).map(|one| one.1);
        assert_eq!(given.len(), expected.len(), "{words:?}");
        for (place, theirs) in &expected {
            let ours = at(&given, *place).expect("found, too");
            // Parts of a word that follow each other are counted once in a passage, there each time.
            let is_exact = words.iter().all(|word| word.chars().all(char::is_alphanumeric));
            assert!(!is_exact || (ours - theirs).abs() < 1e-9, "{words:?} at {place}: {ours} is not {theirs}");
        }
    }
}
