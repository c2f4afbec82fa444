//! Passages for tests, as a search gives them.

use store::Json;
use store::org::knowledge::chunks::Chunk;
use store::org::knowledge::documents::{Document, Status};

use crate::search::Found;

/// A passage of a document with a title.
pub(crate) fn found(title: &str, text: &str) -> Found {
    let id = "01932d6f4b7a7c3e9a51c0ffee15600d";
    let document_id = format!("doc_{id}").parse().expect("an id");
    let chunk = Chunk {
        number: 1,
        id: format!("{}_{id}", <domain::ChunkId as domain::Id>::PREFIX).parse().expect("an id"),
        document_id,
        collection: 1,
        place: 0,
        heading: String::new(),
        text: text.to_owned(),
        page: None,
        starts: 0,
        ends: i64::try_from(text.len()).expect("a short text"),
    };
    let document = Document {
        id: document_id,
        collection_id: format!("{}_{id}", <domain::CollectionId as domain::Id>::PREFIX).parse().expect("an id"),
        title: title.to_owned(),
        titled: false,
        name: title.to_owned(),
        source: "upload".into(),
        kind: "text".into(),
        tags: Json(Vec::new()),
        status: Status::Ready,
        fault: None,
        content_hash: String::new(),
        size: 0,
        latest: 1,
        shown: 1,
        passages: 1,
        embedded: 1,
        job_id: format!("{}_{id}", <domain::JobId as domain::Id>::PREFIX).parse().expect("an id"),
        made_by: format!("usr_{id}").parse().expect("an id"),
        version: 1,
        created_at: domain::Time::default(),
        updated_at: domain::Time::default(),
    };
    Found { chunk, document, score: 1.0, words: None, meaning: None }
}
