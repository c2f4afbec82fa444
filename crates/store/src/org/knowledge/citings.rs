//! Which documents answers cite: when a document is deleted, its words go out of the answers with it, and what is kept of an answer for
//! who repeats the request is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use domain::{DocumentId, TurnId};
use serde::Deserialize;

use super::threads::{Citation, Message, SAID};
use crate::Result;
use crate::idempotency::FORGOTTEN;
use crate::org::Tx;
use crate::sql::{Json, Pair};

const PART: &str = "part of what is said, or of what is deleted, which is recorded";

/// What stands in the place of words that were deleted.
pub const DELETED: &str = "[deleted]";

/// Notes what an answer that was just said cites. A document that was deleted meanwhile gives nothing to it.
pub(super) async fn note(tx: &mut Tx, message: &Message) -> Result<()> {
    let mut gone = BTreeSet::new();
    let cited: BTreeSet<DocumentId> = message.citations.0.iter().map(|citation| citation.document_id).collect();
    for document in cited {
        if !is_there(tx, document).await? {
            gone.insert(document);
            continue;
        }
        tx.sql("INSERT INTO citings (document_id, message_id, created_at) VALUES ($1, $2, $3)")
            .bind(document)
            .bind(message.id)
            .bind(message.created_at)
            .unaudited(PART)
            .run()
            .await?;
    }
    if gone.is_empty() { Ok(()) } else { forget_in(tx, message.id, &gone).await }
}

/// Notes which documents an answer tells of that was just kept. When one was deleted meanwhile it is not kept at all.
pub(crate) async fn note_kept(tx: &mut Tx, scope: &[u8; 32], documents: &BTreeSet<DocumentId>) -> Result<()> {
    let now = tx.now();
    for document in documents {
        if !is_there(tx, *document).await? {
            return forget_kept(tx, vec![scope.to_vec()]).await;
        }
        tx.sql("INSERT INTO kept_citings (document_id, scope, created_at) VALUES ($1, $2, $3)")
            .bind(*document)
            .bind(scope)
            .bind(now)
            .unaudited(PART)
            .run()
            .await?;
    }
    Ok(())
}

/// Whether a document is there; whoever deletes it then waits until this is committed, and finds what it wrote.
async fn is_there(tx: &mut Tx, document: DocumentId) -> Result<bool> {
    let there: Option<DocumentId> = tx
        .sql(Pair {
            sqlite: "SELECT id FROM documents WHERE id = $1",
            postgres: "SELECT id FROM documents WHERE id = $1 FOR KEY SHARE",
        })
        .bind(document)
        .optional()
        .await?;
    Ok(there.is_some())
}

/// Takes a document that was deleted in this transaction out of all answers.
pub(super) async fn forget(tx: &mut Tx, document: DocumentId) -> Result<()> {
    let messages: Vec<TurnId> =
        tx.sql("SELECT message_id FROM citings WHERE document_id = $1").bind(document).all().await?;
    let gone = BTreeSet::from([document]);
    for message in messages {
        forget_in(tx, message, &gone).await?;
    }
    tx.sql("DELETE FROM citings WHERE document_id = $1").bind(document).unaudited(PART).run().await?;
    // Looked for in all that was kept within a day: what is rare pays, and not each answer for an index.
    let kept: Vec<Vec<u8>> =
        tx.sql("SELECT scope FROM kept_citings WHERE document_id = $1").bind(document).all().await?;
    forget_kept(tx, kept).await
}

/// Takes all documents that are gone out of all answers: after many were deleted at once.
pub(crate) async fn forget_gone(tx: &mut Tx) -> Result<()> {
    let rows: Vec<(TurnId, DocumentId)> = tx
        .sql(
            "SELECT message_id, document_id FROM citings
             WHERE NOT EXISTS (SELECT 1 FROM documents WHERE documents.id = citings.document_id)",
        )
        .all()
        .await?;
    let mut gone: BTreeMap<TurnId, BTreeSet<DocumentId>> = BTreeMap::new();
    for (message, document) in rows {
        gone.entry(message).or_default().insert(document);
    }
    for (message, documents) in gone {
        forget_in(tx, message, &documents).await?;
    }
    tx.sql("DELETE FROM citings WHERE NOT EXISTS (SELECT 1 FROM documents WHERE documents.id = citings.document_id)")
        .unaudited(PART)
        .run()
        .await?;
    let kept: Vec<Vec<u8>> = tx
        .sql(
            "SELECT DISTINCT scope FROM kept_citings
             WHERE NOT EXISTS (SELECT 1 FROM documents WHERE documents.id = kept_citings.document_id)",
        )
        .all()
        .await?;
    forget_kept(tx, kept).await
}

/// Forgets what is kept of answers; that they were given stays, so that nothing is done twice.
async fn forget_kept(tx: &mut Tx, scopes: Vec<Vec<u8>>) -> Result<()> {
    for scope in scopes {
        tx.sql("UPDATE idempotency SET status = $2, response = $3 WHERE scope = $1")
            .bind(scope.as_slice())
            .bind(FORGOTTEN)
            .bind(Vec::<u8>::new())
            .unaudited(PART)
            .run()
            .await?;
        tx.sql("DELETE FROM kept_citings WHERE scope = $1").bind(scope).unaudited(PART).run().await?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Said {
    content: String,
    citations: Json<Vec<Citation>>,
    detail: Json<serde_json::Value>,
}

async fn forget_in(tx: &mut Tx, message: TurnId, gone: &BTreeSet<DocumentId>) -> Result<()> {
    let said: Option<Said> = tx
        .sql("SELECT id, content, citations, detail FROM messages WHERE id = $1")
        .opens(&SAID)
        .bind(message)
        .optional()
        .await?;
    let Some(mut said) = said else { return Ok(()) };
    let mut content = said.content;
    for citation in said.citations.0.iter_mut().filter(|citation| gone.contains(&citation.document_id)) {
        let quote = citation.quote.trim_end_matches('…');
        if !quote.is_empty() {
            content = content.replace(quote, DELETED);
        }
        citation.title.clear();
        citation.quote.clear();
        citation.heading.clear();
    }
    // Made of passages alone, it is their words whatever was quoted of them.
    if said.detail.0["extractive"] == serde_json::Value::Bool(true) {
        content = DELETED.into();
    }
    let row = SAID.row(message);
    tx.sql("UPDATE messages SET content = $2, citations = $3 WHERE id = $1")
        .bind(message)
        .seal(&row, "content", content)
        .seal(&row, "citations", said.citations.text())
        .unaudited(PART)
        .run()
        .await?;
    Ok(())
}
