//! `POST /api/v1/threads/{id}/messages`: asks, and answers; as JSON, or step by step as server-sent events.

use domain::access::{Permission, can};
use domain::{CollectionId, ThreadId};
use knowledge::brief::{self, Turn};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::Json;
use store::audit::Event;
use store::org::knowledge::threads::{self, Author, Message, Thread};

use super::compose::{ANSWER, MODEL, QUESTION, Question, Said};
use super::events::{Progress, Steps, Told};
use crate::gateway::spender;
use crate::http::body::{Body, Path};
use crate::http::caller::{AtTheDoor, Caller, Local, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Created;
use crate::search::rerank::Rerank;
use crate::threads::citations::Citable;
use crate::threads::messages::MessageView;
use crate::threads::{find, own};

/// Characters of the title that a conversation takes from its first question.
const TITLE: usize = 80;

/// A question.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    content: String,
    /// The model or alias that writes the answer; `best` when left out. Without any language model the answer quotes the documents.
    #[serde(default)]
    model: Option<String>,
    /// Only out of these collections.
    #[serde(default)]
    collections: Option<Vec<CollectionId>>,
    /// Lets a model put the passages into order before the best are taken, which costs what a call of it costs.
    #[serde(default)]
    rerank: Option<Rerank>,
}

pub(crate) async fn ask(
    gate: AtTheDoor<Local<can::AnswersUse>, meters::Chat>,
    Path(id): Path<ThreadId>,
    told: Told,
    Body(body): Body<Ask>,
) -> Result<Progress<Created<MessageView>>> {
    let mut caller = gate.through().each();
    let question = body.content.trim().to_owned();
    if question.is_empty() || question.chars().count() > QUESTION {
        return Err(Problem::field("content", format!("must be 1 to {QUESTION} characters long")));
    }
    let mut tx = caller.read().await?;
    let (thread, place) = find(&mut tx, caller.scope(), id).await?;
    if thread.user_id != caller.user() {
        return Err(Problem::new("forbidden", "Only whose conversation it is can ask in it."));
    }
    let latest = threads::latest(&mut tx, thread.id, brief::EARLIER).await?;
    drop(tx);
    // What is one's own is read by who lost the project; it is the project that pays for what is asked.
    place.require(&caller, Permission::AnswersUse).await?;
    if body.rerank.is_some() {
        place.require(&caller, Permission::ModelsUse).await?;
    }
    place.require_changeable()?;
    let earlier = latest.into_iter().rev().map(|one| Turn { author: one.author, text: one.content }).collect();
    caller.answered()?;
    let work = Work {
        caller,
        thread,
        earlier,
        question,
        model: body.model.unwrap_or_else(|| MODEL.into()),
        collections: body.collections,
        rerank: body.rerank,
    };
    Box::pin(told.of(|steps| work.run(steps))).await
}

struct Work {
    caller: Caller<can::AnswersUse>,
    thread: Thread,
    earlier: Vec<Turn>,
    question: String,
    model: String,
    collections: Option<Vec<CollectionId>>,
    rerank: Option<Rerank>,
}

impl Work {
    async fn run(self, steps: Steps) -> Result<Option<Created<MessageView>>> {
        let scope = self.caller.scope();
        let mut spender = spender(scope);
        spender.project = self.thread.project_id.or(spender.project);
        let question = Question {
            app: self.caller.app(),
            scope,
            spender,
            text: &self.question,
            earlier: &self.earlier,
            model: &self.model,
            collections: self.collections.as_deref(),
            project: self.thread.project_id,
            most_tokens: ANSWER,
            rerank: self.rerank.as_ref(),
        };
        match question.answer(&steps).await? {
            Some(said) => self.keep(said).await.map(Some),
            None => Ok(None),
        }
    }

    /// Puts question and answer into the conversation, both or neither.
    async fn keep(self, said: Said) -> Result<Created<MessageView>> {
        let Self { caller, thread, earlier, question, .. } = self;
        let now = caller.ambient().now();
        let message = |author, content: &str, citations, detail| Message {
            id: caller.ambient().id(),
            thread_id: thread.id,
            author,
            content: content.to_owned(),
            citations: Json(citations),
            detail: Json(detail),
            rating: None,
            comment: None,
            correction: None,
            created_at: now,
        };
        let asked = message(Author::User, &question, Vec::new(), json!({}));
        let detail = json!({
            "unknown": said.unknown,
            "extractive": said.extractive,
            "model": said.model,
            "usage": { "model": said.model, "id": said.usage, "cost_micros": said.cost_micros },
            "reranked": said.reranked,
        });
        let answer = message(Author::Assistant, &said.text, said.citations, detail);
        // As it is now: it may have been deleted, or its project archived, while the model spoke.
        let (mut tx, mut thread, place) = own(&caller, thread.id).await?;
        place.require_changeable()?;
        threads::say(&mut tx, &asked).await?;
        threads::say(&mut tx, &answer).await?;
        if earlier.is_empty() && thread.title.is_empty() {
            thread.title = question.chars().take(TITLE).collect();
            threads::update(&mut tx, &thread).await?;
        }
        let detail = json!({ "thread": thread.id, "usage": said.usage });
        tx.record(Event::new("thread.asked", answer.id).detail(detail)).await?;
        let citable = Citable::of(&mut tx, caller.scope(), std::slice::from_ref(&answer)).await?;
        caller.commit(tx, Created(MessageView::of(answer, &citable, true))).await
    }
}
