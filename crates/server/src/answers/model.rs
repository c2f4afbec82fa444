//! `rowhouse/answers`: answers from the documents, to clients that know OpenAI's chat completions alone.
//!
//! The last message is the question, those before it the conversation; what a system message asks for is not heeded, since answers come
//! from the documents. It asks what its caller sees, in the project of the key or of the request. What it cites is in the field
//! `citations` of the message and, for people, at the end of the text. Nothing of it is kept in a conversation.

use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::access::{Permission, can};
use domain::{Id as _, UsageId};
use gateway::{RequestError, Usage};
use knowledge::brief::{self, Turn};
use knowledge::outgoing::harmless;
use serde::Deserialize;
use serde_json::{Value, json};
use store::org::knowledge::threads::{Author, Citation};
use tokio::sync::oneshot;

use super::compose::{ANSWER, MODEL, QUESTION, Question, Said};
use super::events::{Step, Steps, events};
use crate::gateway::{COST, USAGE, invalid, note, spender};
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::layers::current_request_id;
use crate::http::outliving::{Outliving, Panicked};
use crate::knowledge::place::Place;
use crate::search::rerank::Rerank;
use crate::threads::citations::{Citable, CitationView};

/// The name to ask for.
pub(crate) const NAME: &str = "rowhouse/answers";

/// What is read of a request. What is not known here changes nothing.
#[derive(Deserialize)]
struct Chat {
    messages: Vec<Message>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    n: Option<u64>,
    #[serde(default)]
    tools: Option<Vec<Value>>,
    /// As in a search; no word of `OpenAI`'s.
    #[serde(default)]
    rerank: Option<Rerank>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    #[serde(default)]
    content: Value,
}

impl Message {
    fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
            _ => String::new(),
        }
    }
}

/// Whether the caller may ask for answers where the request is made.
pub(crate) async fn is_open(caller: &Caller<can::ModelsUse>) -> Result<bool> {
    let mut tx = caller.read().await?;
    let place = Place::of(&mut tx, caller.scope().selected_project()).await?;
    Ok(caller.scope().grants().allow(Permission::AnswersUse, place.object))
}

/// Answers a request for [`NAME`].
pub(crate) async fn answer(caller: Caller<can::ModelsUse>, body: &[u8]) -> Result<Response> {
    if !is_open(&caller).await? {
        return Err(caller.deny(Permission::AnswersUse, "organisation").await);
    }
    let unattended = caller.app().unattended.clone();
    let work = Work::read(caller, body)?;
    if !work.stream {
        // As with any model: all of it is paid for, so it goes on without its client.
        let answering = async move {
            let said =
                work.said(&Steps::unheard()).await?.ok_or_else(|| Problem::internal("nobody could have gone"))?;
            work.whole(said).await
        };
        let answered = Outliving::new(&unattended, answering).await;
        return answered.map_err(|Panicked(why)| Problem::internal(format!("answering panicked: {why}")))?;
    }
    let (steps, mut heard) = Steps::heard_as(as_chunk, work.head(), true);
    let (refused, refusal) = oneshot::channel();
    let request_id = current_request_id();
    unattended.spawn(async move {
        let told = match work.said(&steps).await {
            Ok(None) => return,
            Ok(Some(said)) => work.last(&said).await,
            Err(problem) => Err(problem),
        };
        match told {
            Ok(last) => steps.tell(last).await,
            // Before the first word it is the answer's status.
            Err(problem) => {
                if let Err(problem) = refused.send(problem) {
                    let error = serde_json::to_string(&problem.envelope(request_id)).unwrap_or_default();
                    steps.tell(format!("data: {error}\n\n")).await;
                }
            }
        }
    });
    if !heard.begins().await {
        return Err(refusal.await.unwrap_or_else(|_| Problem::internal("answering ended without an answer")));
    }
    Ok(events(heard))
}

struct Work {
    caller: Caller<can::ModelsUse>,
    id: String,
    created: i64,
    earlier: Vec<Turn>,
    question: String,
    most_tokens: u64,
    stream: bool,
    show_usage: bool,
    rerank: Option<Rerank>,
}

impl Work {
    fn read(caller: Caller<can::ModelsUse>, body: &[u8]) -> Result<Self> {
        let wrong = |param: &str, text: &str| {
            invalid(&RequestError { param: Some(param.to_owned()), message: text.to_owned().into() })
        };
        let chat: Chat = serde_json::from_slice(body).map_err(|error| wrong("messages", &error.to_string()))?;
        if chat.tools.is_some_and(|tools| !tools.is_empty()) {
            return Err(wrong("tools", "are not called by this model"));
        }
        if chat.n.is_some_and(|n| n != 1) {
            return Err(wrong("n", "must be 1"));
        }
        let mut turns: Vec<Turn> = chat
            .messages
            .iter()
            .filter_map(|message| {
                let author = match message.role.as_str() {
                    "user" => Author::User,
                    "assistant" => Author::Assistant,
                    _ => return None,
                };
                Some(Turn { author, text: message.text() })
            })
            .collect();
        let question = match turns.pop() {
            Some(Turn { author: Author::User, text }) if !text.trim().is_empty() => text.trim().to_owned(),
            _ => return Err(wrong("messages", "must end with a question of the user")),
        };
        if question.chars().count() > QUESTION {
            return Err(wrong("messages", &format!("must end with a question of at most {QUESTION} characters")));
        }
        let first = turns.len().saturating_sub(usize::try_from(brief::EARLIER).unwrap_or(0));
        let ambient = caller.ambient();
        Ok(Self {
            id: format!("chatcmpl-{}", ambient.id::<UsageId>().uuid().simple()),
            created: ambient.now().micros().div_euclid(1_000_000),
            earlier: turns.split_off(first),
            question,
            most_tokens: chat.max_completion_tokens.or(chat.max_tokens).unwrap_or(ANSWER).clamp(1, ANSWER * 4),
            stream: chat.stream.unwrap_or(false),
            rerank: chat.rerank,
            show_usage: chat.stream_options.is_some_and(|options| options.include_usage),
            caller,
        })
    }

    async fn said(&self, steps: &Steps) -> Result<Option<Said>> {
        let scope = self.caller.scope();
        let question = Question {
            app: self.caller.app(),
            scope,
            spender: spender(scope),
            text: &self.question,
            earlier: &self.earlier,
            model: MODEL,
            collections: None,
            project: scope.selected_project(),
            most_tokens: self.most_tokens,
            rerank: self.rerank.as_ref(),
        };
        question.answer(steps).await
    }

    async fn whole(&self, said: Said) -> Result<Response> {
        let citations = self.views(&said.citations).await?;
        let content = format!("{}{}", said.text, sources(&said.citations));
        let message = json!({ "role": "assistant", "content": content, "refusal": null, "citations": citations });
        let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": "stop" });
        let body = json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": NAME,
            "choices": [choice], "usage": tokens(said.tokens),
        });
        let mut response = Json(body).into_response();
        if let Some(id) = said.usage {
            note(&mut response, &USAGE, &id.to_string());
        }
        note(&mut response, &COST, &said.cost_micros.to_string());
        Ok(response)
    }

    /// What each chunk begins with.
    fn head(&self) -> String {
        format!(
            "{{\"id\":\"{}\",\"object\":\"chat.completion.chunk\",\"created\":{},\"model\":\"{NAME}\"",
            self.id, self.created
        )
    }

    /// The last chunks: where it is from, the end, and what it took.
    async fn last(&self, said: &Said) -> Result<String> {
        let head = self.head();
        let delta = json!({ "content": sources(&said.citations), "citations": self.views(&said.citations).await? });
        let mut text = chunk(&head, &delta, None);
        text.push_str(&chunk(&head, &json!({}), Some("stop")));
        if self.show_usage {
            text.push_str(&format!("data: {head},\"choices\":[],\"usage\":{}}}\n\n", tokens(said.tokens)));
        }
        text.push_str("data: [DONE]\n\n");
        Ok(text)
    }

    async fn views(&self, citations: &[Citation]) -> Result<Vec<CitationView>> {
        let mut tx = self.caller.read().await?;
        let citable = Citable::among(&mut tx, self.caller.scope(), citations.iter()).await?;
        Ok(citations.iter().cloned().map(|citation| citable.view(citation)).collect())
    }
}

fn chunk(head: &str, delta: &Value, finish: Option<&str>) -> String {
    let choice = json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish });
    format!("data: {head},\"choices\":[{choice}]}}\n\n")
}

fn as_chunk(step: &Step, head: &str) -> Option<String> {
    match step {
        Step::Delta(text) => Some(chunk(head, &json!({ "role": "assistant", "content": text }), None)),
        Step::Searching | Step::Found(_) => None,
    }
}

fn tokens(usage: Usage) -> Value {
    let total = usage.input + usage.output;
    json!({ "prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": total })
}

/// The sources for people: a line each, with number, title, headings and page. A title is its author's: it must not be fetched either.
fn sources(citations: &[Citation]) -> String {
    let mut text = String::new();
    for (at, citation) in citations.iter().enumerate() {
        let line = |text: &str| harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "), &[]);
        text.push_str(if at == 0 { "\n\n" } else { "\n" });
        text.push_str(&format!("[{}] {}", citation.n, line(&citation.title)));
        // The outermost heading is often the title once more.
        let heading = citation.heading.strip_prefix(&citation.title).unwrap_or(&citation.heading);
        let heading = heading.strip_prefix(" > ").unwrap_or(heading);
        if !heading.is_empty() {
            text.push_str(&format!(", {}", line(heading)));
        }
        if let Some(page) = citation.page {
            text.push_str(&format!(", page {page}"));
        }
    }
    text
}
