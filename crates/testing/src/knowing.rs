//! Knowledge for the tests: documents that were read, and answers that cite them, without a file or a model.

use domain::{CollectionId, DocumentId, Id, JobId, ThreadId, TurnId};
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::chunks::{self, Draft};
use store::org::knowledge::documents::{self, Document, Status};
use store::org::knowledge::imports::{self, Import, Stage};
use store::org::knowledge::threads::{self, Author, Citation, Message};
use store::org::knowledge::versions::{self, Version};
use store::{Json, Scope};

use crate::TestHouse;

impl TestHouse {
    /// Puts a document into a collection, with a version and a passage for each text given: the last version is shown, with all passages.
    /// # Panics
    /// When a row is refused.
    pub async fn document(&self, scope: &Scope, collection: &str, title: &str, texts: &[&str]) -> DocumentId {
        let ambient = self.store().ambient();
        let collection: CollectionId = collection.parse().expect("an id");
        let (id, now): (DocumentId, _) = (ambient.id(), ambient.now());
        let mut tx = self.store().open(scope).begin().await.expect("begins");
        let hash = |n: usize| format!("{}{n}", id.uuid().simple());
        let document = Document {
            id,
            collection_id: collection,
            title: title.to_owned(),
            titled: false,
            name: format!("{title}.txt"),
            source: "upload".into(),
            kind: String::new(),
            tags: Json(Vec::new()),
            status: Status::Queued,
            fault: None,
            content_hash: hash(1),
            size: 10,
            latest: 1,
            shown: 0,
            passages: 0,
            embedded: 0,
            job_id: ambient.id(),
            made_by: scope.user(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        documents::insert(&mut tx, &document).await.expect("a document");
        for (n, number) in (1..=texts.len()).zip(1_i64..) {
            if number > 1 {
                let now = documents::get(&mut tx, id).await.expect("it is there");
                let renewed = Document { content_hash: hash(n), ..now };
                documents::renew(&mut tx, &renewed).await.expect("a new original");
            }
            let version = Version {
                document_id: id,
                number,
                name: document.name.clone(),
                content_hash: hash(n),
                size: 10,
                made_by: scope.user(),
                created_at: now,
            };
            versions::insert(&mut tx, &version).await.expect("a version");
        }
        let draft = |text: &&str| Draft {
            heading: "Chapter".into(),
            text: (*text).to_owned(),
            page: Some(1),
            starts: 0,
            ends: i64::try_from(text.len()).unwrap_or(0),
        };
        let drafts: Vec<Draft> = texts.iter().map(draft).collect();
        chunks::replace(&mut tx, id, &drafts).await.expect("passages");
        let count = i64::try_from(texts.len()).unwrap_or(0);
        assert!(documents::show(&mut tx, id, count, None, "text", count).await.expect("shown"));
        tx.record(Event::new("document.created", id).after(&document)).await.expect("recorded");
        tx.commit().await.expect("committed");
        id
    }

    /// An archive in a collection whose files were all refused; gives its job.
    /// # Panics
    /// When a row is refused.
    pub async fn import(&self, scope: &Scope, collection: &str, names: &[&str]) -> JobId {
        let ambient = self.store().ambient();
        let (id, now): (JobId, _) = (ambient.id(), ambient.now());
        let import = Import {
            id,
            collection_id: collection.parse().expect("an id"),
            name: "archive.zip".into(),
            tags: Json(Vec::new()),
            status: Stage::Queued,
            fault: None,
            content_hash: String::new(),
            size: 0,
            done: 0,
            total: 0,
            made_by: scope.user(),
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.store().open(scope).begin().await.expect("begins");
        imports::insert(&mut tx, &import).await.expect("an archive");
        imports::begin(&mut tx, id, 0).await.expect("opened");
        for (place, name) in (0..).zip(names) {
            let (outcome, name) = (imports::Outcome::Refused, (*name).to_owned());
            let member = imports::Member { place, name, outcome, fault: None, document_id: None };
            assert!(imports::note(&mut tx, id, &member).await.expect("noted"));
        }
        imports::finish(&mut tx, id, None).await.expect("done");
        tx.record(Event::new("archive.created", id).after(&import)).await.expect("recorded");
        tx.commit().await.expect("committed");
        id
    }

    /// Says a question in a conversation, and an answer that cites the first passage of each document given; gives the answer's id.
    /// # Panics
    /// When a row is refused.
    pub async fn answer(&self, scope: &Scope, thread: &str, cited: &[DocumentId]) -> TurnId {
        let ambient = self.store().ambient();
        let thread: ThreadId = thread.parse().expect("an id");
        let mut tx = self.store().open(scope).begin().await.expect("begins");
        let mut citations = Vec::new();
        for (n, document) in (1..).zip(cited) {
            let document = documents::get(&mut tx, *document).await.expect("a document");
            let chunk = chunks::list(&mut tx, document.id, None, 1).await.expect("listed").remove(0);
            citations.push(Citation {
                n,
                document_id: document.id,
                version: document.shown,
                chunk_id: chunk.id,
                title: document.title,
                quote: chunk.text,
                page: chunk.page,
                heading: chunk.heading,
                starts: chunk.starts,
                ends: chunk.ends,
            });
        }
        let quotes: Vec<&str> = citations.iter().map(|citation| citation.quote.as_str()).collect();
        let question = Message {
            id: ambient.id(),
            thread_id: thread,
            author: Author::User,
            content: "What is it?".into(),
            citations: Json(Vec::new()),
            detail: Json(json!({})),
            rating: None,
            comment: None,
            correction: None,
            created_at: ambient.now(),
        };
        let answer = Message {
            id: ambient.id(),
            author: Author::Assistant,
            content: quotes.join(" "),
            citations: Json(citations.clone()),
            detail: Json(json!({ "extractive": true, "hidden": "not to be shown" })),
            ..question.clone()
        };
        for message in [&question, &answer] {
            threads::say(&mut tx, message).await.expect("said");
        }
        tx.record(Event::new("thread.asked", thread).after(&answer)).await.expect("recorded");
        tx.commit().await.expect("committed");
        answer.id
    }
}
