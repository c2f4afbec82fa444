//! `POST /api/v1/threads/{id}/messages`: asks, and answers; as JSON, or step by step as server-sent events.

use axum::body::Bytes;
use axum::http::StatusCode;
use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::{CollectionId, ThreadId, Time, TurnId, UsageId};
use gateway::{ClientRequest, Operation};
use knowledge::brief;
use knowledge::search::Found as Hit;
use metering::call::Served;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Json;
use store::audit::Event;
use store::org::knowledge::search::Filter;
use store::org::knowledge::threads::{self, Author, Citation, Message, Thread};
use store::org::projects;

use super::events::{Progress, Steps, Told};
use crate::gateway::{problem, route, spender};
use crate::http::body::{Body, Path};
use crate::http::caller::{AtTheDoor, Caller, Local, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Created;
use crate::search::{Asked, look};

/// Characters of a question.
const QUESTION: usize = 8000;
/// Passages that a model is given.
const PASSAGES: usize = 8;
/// Tokens of an answer.
const ANSWER: u64 = 1024;
/// The model that is asked when nobody says which.
const MODEL: &str = "best";
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
}

/// An answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Answer")]
pub(crate) struct AnswerView {
    id: TurnId,
    thread_id: ThreadId,
    role: &'static str,
    content: String,
    citations: Vec<Citation>,
    /// Whether nothing in the documents supports an answer.
    unknown: bool,
    /// Whether it only quotes, because no language model is set up.
    extractive: bool,
    usage: UsageView,
    created_at: Time,
}

/// What an answer took.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "AnswerUsage")]
struct UsageView {
    model: String,
    /// The row of the usage log; null when no model was called.
    id: Option<UsageId>,
    /// Millionths of a US dollar.
    cost_micros: i64,
}

pub(crate) async fn ask(
    gate: AtTheDoor<Local<can::AnswersUse>, meters::Chat>,
    Path(id): Path<ThreadId>,
    told: Told,
    Body(body): Body<Ask>,
) -> Result<Progress<Created<AnswerView>>> {
    let mut caller = gate.through().each();
    let question = body.content.trim().to_owned();
    if question.is_empty() || question.chars().count() > QUESTION {
        return Err(Problem::field("content", format!("must be 1 to {QUESTION} characters long")));
    }
    let thread = enter(&caller, id).await?;
    caller.answered()?;
    let work = Work {
        caller,
        thread,
        question,
        model: body.model.unwrap_or_else(|| MODEL.into()),
        collections: body.collections,
    };
    told.of(|steps| work.run(steps)).await
}

/// The conversation, when it is the caller's own and they may ask in its place.
async fn enter(caller: &Caller<can::AnswersUse>, id: ThreadId) -> Result<Thread> {
    let mut tx = caller.read().await?;
    let thread = threads::get(&mut tx, id).await?;
    if thread.user_id != caller.user() {
        return Err(Problem::not_found());
    }
    let place = match thread.project_id {
        None => Object::Organisation,
        Some(id) => {
            let project = projects::get(&mut tx, id).await?;
            Object::Project { id, open: project.open }
        }
    };
    drop(tx);
    if caller.allows(place) { Ok(thread) } else { Err(caller.deny(Permission::AnswersUse, &id.to_string()).await) }
}

struct Work {
    caller: Caller<can::AnswersUse>,
    thread: Thread,
    question: String,
    model: String,
    collections: Option<Vec<CollectionId>>,
}

/// What a model said, or what is said without one.
struct Said {
    text: String,
    citations: Vec<Citation>,
    unknown: bool,
    extractive: bool,
    usage: UsageView,
}

impl Work {
    async fn run(self, steps: Steps) -> Result<Created<AnswerView>> {
        let (app, scope) = (self.caller.app(), self.caller.scope());
        steps.say("searching", &serde_json::json!({}));
        let filter = Filter::default();
        let asked =
            Asked { query: &self.question, limit: PASSAGES, collections: self.collections.as_deref(), filter: &filter };
        let (found, _) = look(app, scope, &asked).await?;
        steps.say("found", &serde_json::json!({ "passages": found.len() }));
        let mut tx = self.caller.read().await?;
        let mut earlier = threads::latest(&mut tx, self.thread.id, brief::EARLIER).await?;
        drop(tx);
        earlier.reverse();
        let said = if found.is_empty() { self.unknown() } else { self.answer(&found, &earlier).await? };
        steps.say("delta", &serde_json::json!({ "content": said.text }));
        self.keep(said, earlier.is_empty()).await
    }

    fn unknown(&self) -> Said {
        let usage = UsageView { model: self.model.clone(), id: None, cost_micros: 0 };
        Said { text: brief::UNKNOWN.into(), citations: Vec::new(), unknown: true, extractive: false, usage }
    }

    async fn answer(&self, found: &[Hit], earlier: &[Message]) -> Result<Said> {
        let (app, scope) = (self.caller.app(), self.caller.scope());
        let mut spender = spender(scope);
        spender.project = self.thread.project_id.or(spender.project);
        let body = brief::request(&self.model, false, found, earlier, &self.question, ANSWER);
        let body = Bytes::from(serde_json::to_vec(&body).map_err(|error| Problem::internal(error.to_string()))?);
        let request = ClientRequest::read(Operation::Chat, body)
            .map_err(|error| Problem::internal(format!("our own request: {}", error.sentence())))?;
        let resolved = route::resolve(app, scope, spender, request.model()).await?;
        let served = app.door.call(scope, spender, &request, &resolved.targets).await;
        let answered = served.map_err(|failed| problem(failed, &self.model))?;
        app.models.served_by(scope, &resolved.targets[answered.by]);
        let Served::Whole(whole, receipt) = answered.served else {
            return Err(Problem::internal("a whole answer was asked for, and a stream came"));
        };
        let reply: serde_json::Value = serde_json::from_slice(&whole.body).unwrap_or_default();
        let text = reply.pointer("/choices/0/message/content").and_then(serde_json::Value::as_str).unwrap_or("");
        if whole.status != StatusCode::OK || text.is_empty() {
            return Err(Problem::new("upstream_failed", "The model gave no answer; ask again, or name another model."));
        }
        let model = reply.pointer("/model").and_then(serde_json::Value::as_str).unwrap_or(&self.model).to_owned();
        let extractive = model == gateway::providers::embedded::EXTRACTIVE;
        let cited = brief::check(text, found);
        let usage = UsageView { model, id: Some(receipt.id), cost_micros: receipt.cost_micros };
        if cited.citations.is_empty() {
            // A claim without a source is not an answer.
            return Ok(Said { text: brief::UNKNOWN.into(), citations: Vec::new(), unknown: true, extractive, usage });
        }
        Ok(Said { text: cited.text, citations: cited.citations, unknown: false, extractive, usage })
    }

    async fn keep(self, said: Said, first: bool) -> Result<Created<AnswerView>> {
        let Self { caller, mut thread, question, .. } = self;
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
        let asked = message(Author::User, &question, Vec::new(), serde_json::json!({}));
        let detail = serde_json::json!({ "unknown": said.unknown, "extractive": said.extractive, "usage": said.usage });
        let answer = message(Author::Assistant, &said.text, said.citations.clone(), detail);
        let mut tx = caller.begin().await?;
        threads::say(&mut tx, &asked).await?;
        threads::say(&mut tx, &answer).await?;
        if first && thread.title.is_empty() {
            thread.title = question.chars().take(TITLE).collect();
            threads::update(&mut tx, &thread).await?;
        }
        tx.record(
            Event::new("thread.asked", answer.id)
                .detail(serde_json::json!({ "thread": thread.id, "usage": said.usage.id })),
        )
        .await?;
        let view = AnswerView {
            id: answer.id,
            thread_id: thread.id,
            role: "assistant",
            content: said.text,
            citations: said.citations,
            unknown: said.unknown,
            extractive: said.extractive,
            usage: said.usage,
            created_at: now,
        };
        caller.commit(tx, Created(view)).await
    }
}
