//! Conversations: questions, answers, and the passages these cite.

use domain::{ChunkId, DocumentId, ProjectId, ThreadId, Time, TurnId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::collections::Reach;
use crate::org::Tx;
use crate::sql::{Json, SealedColumns, after_id, before_id};
use crate::{Error, OrNotFound, Result};

const SEALED: SealedColumns = SealedColumns { table: "threads", key: &["id"], texts: &["title"], bytes: &[] };
pub(super) const SAID: SealedColumns = SealedColumns {
    table: "messages",
    key: &["id"],
    texts: &["content", "citations", "detail", "comment", "correction"],
    bytes: &[],
};

/// A conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Thread {
    /// The id.
    pub id: ThreadId,
    /// The project whose knowledge it asks; none for all that the person may see.
    pub project_id: Option<ProjectId>,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is called.
    pub title: String,
    /// Who reads it.
    pub access: Reach,
    /// Counts changes, for ETags.
    pub version: i64,
    /// When it began.
    pub created_at: Time,
    /// When something was last said.
    pub updated_at: Time,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The person.
    User,
    /// The house.
    Assistant,
}

/// Where an answer has something from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Citation {
    /// The number that stands in the answer.
    pub n: u32,
    /// The document.
    pub document_id: DocumentId,
    /// Which version of it.
    pub version: i64,
    /// The passage.
    pub chunk_id: ChunkId,
    /// The document's title.
    pub title: String,
    /// What the passage says there.
    pub quote: String,
    /// The page, from 1.
    pub page: Option<i64>,
    /// The headings above it.
    pub heading: String,
    /// Where the passage begins in the document's text, in bytes.
    pub starts: i64,
    /// Where it ends.
    pub ends: i64,
}

/// A question or an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// The id.
    pub id: TurnId,
    /// The conversation.
    pub thread_id: ThreadId,
    /// Who says it.
    pub author: Author,
    /// What is said.
    pub content: String,
    /// Where it is from.
    pub citations: Json<Vec<Citation>>,
    /// How it came about: model, usage, whether it is extractive.
    pub detail: Json<serde_json::Value>,
    /// 1 for good, -1 for bad.
    pub rating: Option<i64>,
    /// What the person says to it.
    pub comment: Option<String>,
    /// What would have been right.
    pub correction: Option<String>,
    /// When.
    pub created_at: Time,
}

/// Begins a conversation.
/// # Errors
/// [`Error::NotFound`] when its project is gone.
pub async fn insert(tx: &mut Tx, thread: &Thread) -> Result<()> {
    let added = tx
        .sql(
            "INSERT INTO threads (id, project_id, user_id, title, access, version, created_at, updated_at)
             SELECT $1, $2, $3, $4, $5, 1, $6, $6 WHERE $2 IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = $2)",
        )
        .bind(thread.id)
        .bind(thread.project_id)
        .bind(thread.user_id)
        .seal(&SEALED.row(thread.id), "title", &thread.title)
        .bind(thread.access.as_str())
        .bind(thread.created_at)
        .run()
        .await?;
    if added == 0 { Err(Error::NotFound("project")) } else { Ok(()) }
}

/// The conversation with this id.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn get(tx: &mut Tx, id: ThreadId) -> Result<Thread> {
    tx.sql("SELECT id, project_id, user_id, title, access, version, created_at, updated_at FROM threads WHERE id = $1")
        .opens(&SEALED)
        .bind(id)
        .optional()
        .await
        .or_not_found("thread")
}

/// A person's own conversations, the newest first, at most `limit` before the one given.
/// # Errors
/// As the database.
pub async fn of_person(tx: &mut Tx, user: UserId, before: Option<ThreadId>, limit: i64) -> Result<Vec<Thread>> {
    tx.sql(
        "SELECT id, project_id, user_id, title, access, version, created_at, updated_at
         FROM threads WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
    )
    .opens(&SEALED)
    .bind(user)
    .bind(before_id(before))
    .bind(limit)
    .all()
    .await
}

/// The conversations that somebody shares with anybody, the newest first, at most `limit` before the one given.
/// # Errors
/// As the database.
pub async fn shared(tx: &mut Tx, before: Option<ThreadId>, limit: i64) -> Result<Vec<Thread>> {
    tx.sql(
        "SELECT id, project_id, user_id, title, access, version, created_at, updated_at
         FROM threads WHERE access <> 'private' AND id < $1 ORDER BY id DESC LIMIT $2",
    )
    .opens(&SEALED)
    .bind(before_id(before))
    .bind(limit)
    .all()
    .await
}

/// Writes back the title of a conversation and who reads it; counts the version up.
/// # Errors
/// [`Error::Stale`] when the version is not the one given.
pub async fn update(tx: &mut Tx, thread: &Thread) -> Result<()> {
    let now = tx.now();
    let changed = tx
        .sql("UPDATE threads SET title = $2, access = $3, version = version + 1, updated_at = $4 WHERE id = $1 AND version = $5")
        .bind(thread.id)
        .seal(&SEALED.row(thread.id), "title", &thread.title)
        .bind(thread.access.as_str())
        .bind(now)
        .bind(thread.version)
        .run()
        .await?;
    if changed == 0 { Err(Error::Stale("thread")) } else { Ok(()) }
}

/// Removes a conversation.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn delete(tx: &mut Tx, id: ThreadId) -> Result<()> {
    let removed = tx.sql("DELETE FROM threads WHERE id = $1").bind(id).run().await?;
    if removed == 0 { Err(Error::NotFound("thread")) } else { Ok(()) }
}

/// Adds what was said. What it cites of documents that were deleted meanwhile is left out.
/// # Errors
/// As the database.
pub async fn say(tx: &mut Tx, message: &Message) -> Result<()> {
    let row = SAID.row(message.id);
    tx.sql(
        "INSERT INTO messages (id, thread_id, author, content, citations, detail, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(message.id)
    .bind(message.thread_id)
    .bind(match message.author {
        Author::User => "user",
        Author::Assistant => "assistant",
    })
    .seal(&row, "content", &message.content)
    .seal(&row, "citations", message.citations.text())
    .seal(&row, "detail", message.detail.text())
    .bind(message.created_at)
    .run()
    .await?;
    tx.sql("UPDATE threads SET updated_at = $2 WHERE id = $1")
        .bind(message.thread_id)
        .bind(message.created_at)
        .run()
        .await?;
    super::citings::note(tx, message).await
}

/// What was said in a conversation, in order, at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn messages(tx: &mut Tx, thread: ThreadId, after: Option<TurnId>, limit: i64) -> Result<Vec<Message>> {
    tx.sql(
        "SELECT id, thread_id, author, content, citations, detail, rating, comment, correction, created_at
         FROM messages WHERE thread_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .opens(&SAID)
    .bind(thread)
    .bind(after_id(after))
    .bind(limit)
    .all()
    .await
}

/// The last that was said in a conversation, the newest first, at most `limit`.
/// # Errors
/// As the database.
pub async fn latest(tx: &mut Tx, thread: ThreadId, limit: i64) -> Result<Vec<Message>> {
    tx.sql(
        "SELECT id, thread_id, author, content, citations, detail, rating, comment, correction, created_at
         FROM messages WHERE thread_id = $1 ORDER BY id DESC LIMIT $2",
    )
    .opens(&SAID)
    .bind(thread)
    .bind(limit)
    .all()
    .await
}

/// A message of a conversation.
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn message(tx: &mut Tx, thread: ThreadId, id: TurnId) -> Result<Message> {
    tx.sql(
        "SELECT id, thread_id, author, content, citations, detail, rating, comment, correction, created_at
         FROM messages WHERE thread_id = $1 AND id = $2",
    )
    .opens(&SAID)
    .bind(thread)
    .bind(id)
    .optional()
    .await
    .or_not_found("message")
}

/// Notes what somebody says to an answer.
/// # Errors
/// As the database.
pub async fn rate(
    tx: &mut Tx,
    message: TurnId,
    rating: Option<i64>,
    comment: Option<&str>,
    correction: Option<&str>,
) -> Result<()> {
    let row = SAID.row(message);
    tx.sql("UPDATE messages SET rating = $2, comment = $3, correction = $4 WHERE id = $1")
        .bind(message)
        .bind(rating)
        .seal(&row, "comment", comment)
        .seal(&row, "correction", correction)
        .run()
        .await?;
    Ok(())
}
