//! What was said in a conversation.

pub(super) mod feedback;
pub(super) mod list;

use domain::{ThreadId, Time, TurnId};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::org::knowledge::threads::{Author, Message};

use super::citations::{Citable, CitationView};

/// A question or an answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub(crate) struct MessageView {
    id: TurnId,
    thread_id: ThreadId,
    /// Who says it.
    role: Author,
    content: String,
    /// Where an answer is from.
    citations: Vec<CitationView>,
    /// The model that answered; null when none did.
    model: Value,
    /// Whether nothing in the documents supports an answer; null for a question.
    unknown: Value,
    /// Whether the answer is put together from passages alone, without a model.
    extractive: Value,
    /// What it took.
    usage: Value,
    /// What a model made of the order of the passages, and what that cost; null unless it was asked for. `order` says of each passage that
    /// was taken which it was in the order of the search.
    reranked: Value,
    /// 1 for good, -1 for bad. What was said to an answer only whose conversation it is sees.
    rating: Option<i64>,
    comment: Option<String>,
    /// What would have been right.
    correction: Option<String>,
    created_at: Time,
}

impl MessageView {
    /// A message as its reader may see it; `own` when the conversation is the reader's.
    pub(crate) fn of(message: Message, citable: &Citable, own: bool) -> Self {
        let told = |name: &str| message.detail.0.get(name).cloned().unwrap_or_default();
        Self {
            id: message.id,
            thread_id: message.thread_id,
            role: message.author,
            model: told("model"),
            unknown: told("unknown"),
            extractive: told("extractive"),
            usage: told("usage"),
            reranked: told("reranked"),
            content: message.content,
            citations: message.citations.0.into_iter().map(|citation| citable.view(citation)).collect(),
            rating: message.rating.filter(|_| own),
            comment: message.comment.filter(|_| own),
            correction: message.correction.filter(|_| own),
            created_at: message.created_at,
        }
    }
}
