//! Documents and their versions, and that nothing of a deleted one is left.

use serde_bytes::ByteBuf;
use store::org::knowledge::chunks::{self, Vector};
use store::org::knowledge::collections;
use store::org::knowledge::documents::{self, Document, Fault, Status};
use store::org::knowledge::search::{self, Filter};
use store::org::knowledge::versions::{self, Version};
use store::org::projects;
use store::{Error, Json};
use testing::both_stores;

use crate::knowledge::{
    add_collection, add_document, add_project, begin, changes, collection, commit, document, first_version, found,
};

both_stores! {
    async fn documents_and_their_versions_are_kept(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let [here, there] = [add_collection(&mut tx, &scope, "here").await, add_collection(&mut tx, &scope, "there").await];
        let one = Document { tags: Json(vec!["red".into()]), ..document(&tx, &scope, here.id, "one") };
        let two = document(&tx, &scope, here.id, "two");
        for document in [&one, &two] {
            documents::insert(&mut tx, document).await.expect("a document");
            versions::insert(&mut tx, &first_version(document)).await.expect("a version");
        }
        let nowhere = document(&tx, &scope, tx.ambient().id(), "nowhere");
        assert!(matches!(documents::insert(&mut tx, &nowhere).await, Err(Error::NotFound("collection"))));
        let read = documents::get(&mut tx, one.id).await.expect("there");
        assert_eq!((read.status, read.tags.0.as_slice(), read.latest, read.shown), (Status::Queued, ["red".to_owned()].as_slice(), 1, 0));
        let ids = |list: Vec<Document>| list.into_iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(documents::list(&mut tx, here.id, None, 1).await.expect("listed")), [one.id]);
        assert_eq!(ids(documents::list(&mut tx, here.id, Some(one.id), 5).await.expect("listed")), [two.id]);
        assert_eq!(ids(documents::list(&mut tx, there.id, None, 5).await.expect("listed")), []);
        assert_eq!(documents::same(&mut tx, here.id, "hash of two").await.expect("looked"), Some(two.id));
        assert_eq!(documents::same(&mut tx, there.id, "hash of two").await.expect("looked"), None);

        documents::update(&mut tx, &Document { title: "first".into(), tags: Json(vec!["blue".into()]), ..read.clone() }).await.expect("changed");
        assert!(matches!(documents::update(&mut tx, &read).await, Err(Error::Stale(_))));
        let fault = Json(Fault { code: "torn".into(), message: "Half of it is missing.".into() });
        assert!(documents::progress(&mut tx, one.id, 1, Status::Failed, Some(&fault)).await.expect("noted"));
        assert!(!documents::progress(&mut tx, one.id, 2, Status::Ready, None).await.expect("another version"));
        let read = documents::find(&mut tx, one.id).await.expect("looked").expect("there");
        assert_eq!((read.title.as_str(), read.status, read.fault.clone()), ("first", Status::Failed, Some(fault)));

        let renewed = Document { name: "new.txt".into(), content_hash: "another hash".into(), size: 9, ..read.clone() };
        documents::renew(&mut tx, &renewed).await.expect("renewed");
        assert!(matches!(documents::renew(&mut tx, &renewed).await, Err(Error::Stale(_))), "it was changed since");
        let second = Version { number: 2, content_hash: "another hash".into(), size: 9, ..first_version(&one) };
        versions::insert(&mut tx, &second).await.expect("a version");
        let read = documents::get(&mut tx, one.id).await.expect("there");
        assert_eq!((read.status, read.fault, read.latest, read.size, read.name.as_str()), (Status::Queued, None, 2, 9, "new.txt"));
        assert!(!documents::show(&mut tx, one.id, 1, Some("old"), "text", 3).await.expect("a newer one came"));
        assert!(documents::show(&mut tx, one.id, 2, Some("new"), "text", 3).await.expect("shown"));
        let read = documents::get(&mut tx, one.id).await.expect("there");
        assert_eq!((read.status, read.shown, read.passages, read.title.as_str(), read.kind.as_str()), (Status::Ready, 2, 3, "new", "text"));

        let given = Document { title: "given".into(), titled: true, ..read.clone() };
        documents::update(&mut tx, &given).await.expect("changed");
        assert!(documents::show(&mut tx, one.id, 2, Some("its own"), "text", 3).await.expect("shown"));
        assert_eq!(documents::get(&mut tx, one.id).await.expect("there").title, "given", "a person's title stays");
        assert!(documents::progress(&mut tx, one.id, 2, Status::Failed, None).await.expect("noted"));
        let job = tx.ambient().id();
        documents::retry(&mut tx, one.id, job).await.expect("again");
        let again = documents::get(&mut tx, one.id).await.expect("there");
        assert_eq!((again.status, again.latest, again.job_id), (Status::Queued, 2, job));
        assert!(documents::show(&mut tx, one.id, 2, None, "text", 3).await.expect("shown"));

        let numbers = |list: Vec<Version>| list.into_iter().map(|one| one.number).collect::<Vec<_>>();
        assert_eq!(numbers(versions::list(&mut tx, one.id, None, 5).await.expect("listed")), [2, 1]);
        assert_eq!(numbers(versions::list(&mut tx, one.id, Some(2), 5).await.expect("listed")), [1]);
        assert_eq!(versions::get(&mut tx, one.id, 2).await.expect("there").size, 9);
        assert!(matches!(versions::get(&mut tx, one.id, 3).await, Err(Error::NotFound(_))));
        assert_eq!(versions::content(&mut tx, one.id, 2).await.expect("looked"), None);
        versions::keep_content(&mut tx, one.id, 2, vec![1, 2, 3]).await.expect("kept");
        assert_eq!(versions::content(&mut tx, one.id, 2).await.expect("looked"), Some(vec![1, 2, 3]));
        assert_eq!(versions::content(&mut tx, one.id, 3).await.expect("looked"), None);
        let mut originals = versions::originals(&mut tx, one.id).await.expect("listed");
        originals.sort();
        assert_eq!(originals, ["another hash", "hash of one"]);
        assert_eq!(documents::totals(&mut tx).await.expect("counted"), (2, 7 + 9 + 7));
        // The same original again costs nothing.
        let again = Document { content_hash: "hash of two".into(), ..document(&tx, &scope, there.id, "again") };
        documents::insert(&mut tx, &again).await.expect("a document");
        versions::insert(&mut tx, &first_version(&again)).await.expect("a version");
        assert_eq!(documents::totals(&mut tx).await.expect("counted"), (3, 7 + 9 + 7));
        documents::delete(&mut tx, two.id).await.expect("deleted");
        assert!(!versions::unused(&mut tx, "hash of two").await.expect("looked"), "another document has it");
        documents::delete(&mut tx, again.id).await.expect("deleted");
        assert!(versions::unused(&mut tx, "hash of two").await.expect("looked"));
        assert!(matches!(documents::delete(&mut tx, two.id).await, Err(Error::NotFound(_))));
        assert!(documents::find(&mut tx, two.id).await.expect("looked").is_none());
        commit(tx).await;
    }

    /// Whatever it goes with: a deletion leaves no word, vector or passage.
    async fn what_is_deleted_is_found_no_more(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut tx = begin(&house, &scope).await;
        let project = add_project(&mut tx).await;
        let inside = collection(&tx, &scope, "in a project", Some(project));
        collections::insert(&mut tx, &inside).await.expect("a collection");
        let inside = collections::get(&mut tx, inside.id).await.expect("there");
        let [here, there] = [add_collection(&mut tx, &scope, "here").await, add_collection(&mut tx, &scope, "there").await];
        let one = add_document(&mut tx, &scope, &here, "one", &["xylozephyr one"]).await;
        add_document(&mut tx, &scope, &here, "kept", &["kept xylophone"]).await;
        add_document(&mut tx, &scope, &there, "two", &["xylozephyr two"]).await;
        add_document(&mut tx, &scope, &inside, "three", &["xylozephyr three"]).await;
        for chunk in search::filtered(&mut tx, &Filter::default(), &[here.number, there.number, inside.number]).await.expect("found") {
            let collection = chunks::find(&mut tx, chunk).await.expect("looked").expect("there").collection;
            let vector = Vector { chunk, collection, scale: 1, value: ByteBuf::from(vec![1]) };
            assert!(chunks::embed(&mut tx, "mini", &vector).await.expect("added"));
        }
        commit(tx).await;
        let all = [here.number, there.number, inside.number];
        let org = scope.org();
        for (left, step) in [(3, "at first"), (2, "document"), (1, "collection"), (0, "project")] {
            let mut tx = begin(&house, &scope).await;
            let before = changes(&mut tx).await;
            match step {
                "document" => documents::delete(&mut tx, one.id).await.expect("deleted"),
                "collection" => collections::delete(&mut tx, there.id).await.expect("deleted"),
                "project" => projects::delete(&mut tx, project).await.expect("deleted"),
                _ => {}
            }
            assert_eq!(changes(&mut tx).await, before + i64::from(step != "at first"), "{step}");
            commit(tx).await;
            let mut tx = house.store().open(&scope).read().await.expect("begins");
            assert_eq!(found(&mut tx, &["xylozephyr"], &all).await.len(), left, "{step}");
            assert_eq!(found(&mut tx, &["kept"], &all).await.len(), 1, "{step}");
            assert_eq!(chunks::vectors(&mut tx, "mini", 0, i64::MAX, 9).await.expect("listed").len(), left + 1, "{step}");
            drop(tx);
            assert_eq!(house.store().org_faults(org).await.expect("looked"), Vec::<String>::new(), "{step}");
        }
    }
}

/// The file without its encryption: after the deletion of a document none of its words is in any byte of it, nor in its log.
#[test]
fn no_byte_of_a_deleted_document_stays_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plain.db");
    let file = rusqlite::Connection::open(&path).expect("opens");
    // As the store opens each file, but for the key.
    file.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON").expect("set");
    for step in store::migrate::ORG {
        file.execute_batch(step.sqlite).expect("made");
    }
    let holds = |word: &str| -> bool {
        file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("moved");
        let wal = std::fs::read(folder.path().join("plain.db-wal")).unwrap_or_default();
        let bytes = [std::fs::read(&path).expect("read"), wal].concat();
        bytes.windows(word.len()).any(|window| window == word.as_bytes())
    };
    let add = |document: u8, words: &dyn Fn(i64) -> String| {
        let id = format!("x'{document:032x}'");
        file.execute_batch(&format!(
            "INSERT INTO documents VALUES ({id}, x'01', 'title{document}', 0, 'n', 'n', 'upload', 'text', '[]', '[]', 'ready', NULL, 'h', 1, 1, 1, 1, 0, x'03', x'02', 1, 0, 0, 0, 0);
             INSERT INTO versions VALUES ({id}, 1, 'n', 'h', 1, CAST('content{document} {}' AS BLOB), x'02', 0, 0);",
            words(0)
        ))
        .expect("added");
        for place in 0..200_i64 {
            let number = i64::from(document) * 1000 + place;
            let text = format!(
                "INSERT INTO chunks VALUES ({number}, x'{number:032x}', {id}, 1, {place}, 'head', '{}', NULL, 0, 1)",
                words(place)
            );
            file.execute(&text, []).expect(&text);
        }
    };
    file.execute_batch(
        "INSERT INTO collections VALUES (x'01', 1, NULL, 'c', '', 'private', x'02', 1, 0, 0, NULL, NULL, NULL)",
    )
    .expect("added");
    add(1, &|place| format!("stayed words everyplace and number{place}"));
    add(2, &|place| format!("xylozephyr quixotic{place}rune words everyplace and number{place}"));
    add(3, &|place| format!("zebra{place} words everyplace number{place}"));
    // What is kept of an answer is sealed beside this, so that it is looked for here without its seal.
    file.execute_batch("INSERT INTO idempotency VALUES (x'0A', x'07', 201, CAST('answer2' AS BLOB), 0)")
        .expect("added");
    for word in ["xylozephyr", "quixotic7rune", "title2", "content2", "answer2"] {
        assert!(holds(word), "{word} is not there at first");
    }
    // As `OrgStore::rinse` does it, in the smallest turns.
    let merge = || {
        for turn in 0.. {
            let before = file.total_changes();
            file.execute_batch("INSERT INTO chunk_words (chunk_words, rank) VALUES ('merge', -1)").expect("merged");
            if file.total_changes() - before < 2 {
                return turn;
            }
        }
        unreachable!()
    };
    file.execute_batch(
        "DELETE FROM documents WHERE title = 'title2';
         UPDATE idempotency SET status = 1, response = x'' WHERE scope = x'0A'",
    )
    .expect("deleted");
    assert!(merge() > 2, "it takes several turns");
    for word in ["xylozephyr", "quixotic", "title2", "content2", "answer2"] {
        assert!(!holds(word), "{word} is still there");
    }
    assert!(holds("title1") && holds("title3"));
    let count = |word: &str| -> i64 {
        file.query_row("SELECT count(*) FROM chunk_words WHERE chunk_words MATCH ?1", [word], |row| row.get(0))
            .expect("found")
    };
    assert_eq!((count("everyplace"), count("xylozephyr"), count("zebra7"), count("number7")), (400, 0, 1, 2));
    file.execute_batch("INSERT INTO chunk_words (chunk_words, rank) VALUES ('integrity-check', 1)").expect("whole");
    file.execute_batch("DELETE FROM collections").expect("deleted");
    merge();
    // Names of columns, such as `title`, stay in the schema.
    for word in ["stayed", "zebra", "everyplac", "title1", "content3", "number7"] {
        assert!(!holds(word), "{word} is still there");
    }
    let left: i64 = file.query_row("SELECT count(*) FROM chunk_words_docsize", [], |row| row.get(0)).expect("counted");
    assert_eq!(left, 0, "the deletion of a collection reaches the index of words");
}
