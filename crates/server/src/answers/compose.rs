//! From a question to a checked answer: the passages that the asker sees and that can support one, a model's words about them, and what
//! of these words the passages bear out.

use axum::body::Bytes;
use axum::http::StatusCode;
use domain::{ChunkId, CollectionId, ProjectId, UsageId};
use gateway::providers::embedded::EXTRACTIVE;
use gateway::{ClientRequest, Operation, Usage, Words};
use knowledge::brief::Turn;
use knowledge::citing::Checking;
use knowledge::outgoing::Outgoing;
use knowledge::search::Found;
use knowledge::{brief, citing, support};
use metering::call::{MeteredStream, Served};
use metering::rules::Spender;
use serde::Serialize;
use serde_json::Value;
use store::Scope;
use store::org::knowledge::search::Filter;
use store::org::knowledge::threads::{Author, Citation};

use super::events::{Step, Steps};
use crate::App;
use crate::gateway::{problem, route};
use crate::http::allowance;
use crate::http::error::{Problem, Result};
use crate::search::rerank::{self, Rerank, Reranked};
use crate::search::{Asked, look};

/// Characters of a question.
pub(super) const QUESTION: usize = 8000;
/// Passages that are looked at, the best first.
const LOOKED_AT: usize = 24;
/// Passages that a model is given of them.
const PASSAGES: usize = 8;
/// Tokens of an answer.
pub(super) const ANSWER: u64 = 1024;
/// The model that is asked when nobody says which.
pub(super) const MODEL: &str = "best";

/// A question, and with whose rights and money it is answered.
pub(super) struct Question<'a> {
    pub(super) app: &'a App,
    pub(super) scope: &'a Scope,
    pub(super) spender: Spender,
    pub(super) text: &'a str,
    /// What was said before it, oldest first.
    pub(super) earlier: &'a [Turn],
    /// The model or alias that is to write the answer.
    pub(super) model: &'a str,
    /// Only out of these collections.
    pub(super) collections: Option<&'a [CollectionId]>,
    /// Only out of this project.
    pub(super) project: Option<ProjectId>,
    pub(super) most_tokens: u64,
    /// By which model the passages are put into order before the first of them are taken; that of the search when left out.
    pub(super) rerank: Option<&'a Rerank>,
}

/// What is said to a question.
pub(super) struct Said {
    pub(super) text: String,
    pub(super) citations: Vec<Citation>,
    /// Whether nothing in the documents supports an answer.
    pub(super) unknown: bool,
    /// Whether it only quotes, because no language model is set up.
    pub(super) extractive: bool,
    /// The model that was asked; the one that would have been when there was nothing to ask about.
    pub(super) model: String,
    /// The row of the usage log; none when no model was called.
    pub(super) usage: Option<UsageId>,
    pub(super) cost_micros: i64,
    pub(super) tokens: Usage,
    /// Whether a model put the passages into order; none unless it was asked for.
    pub(super) reranked: Option<Ordered>,
}

/// What became of the order of the passages that an answer could be made of.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Ordered {
    #[serde(flatten)]
    outcome: Reranked,
    /// For each passage, in the order in which they were taken, which it was in that of the search, from 1.
    order: Vec<usize>,
}

/// What a model said, unchecked.
struct Spoken {
    text: String,
    model: String,
    usage: UsageId,
    cost_micros: i64,
    tokens: Usage,
}

impl Question<'_> {
    /// Answers, and tells of it meanwhile. None when the listener has gone: the model was stopped then, and what had come is charged.
    pub(super) async fn answer(&self, steps: &Steps) -> Result<Option<Said>> {
        tokio::select! {
            said = self.work(steps) => said.map(Some),
            () = steps.gone() => Ok(None),
        }
    }

    async fn work(&self, steps: &Steps) -> Result<Said> {
        steps.say(Step::Searching).await;
        let asked: Vec<&str> =
            self.earlier.iter().filter(|one| one.author == Author::User).map(|one| one.text.as_str()).collect();
        let sought = support::sought(&asked, self.text);
        let (found, reranked) = self.passages(&sought).await?;
        steps.say(Step::Found(found.len())).await;
        if found.is_empty() {
            let said = Said { reranked, ..self.unknown() };
            steps.say(Step::Delta(said.text.clone())).await;
            return Ok(said);
        }
        let resolved = route::resolve(self.app, self.scope, self.spender, self.model).await?;
        let quotes = resolved.targets.first().is_some_and(|target| target.model == EXTRACTIVE);
        // What only compares words needs all of them in the question; who understands is told how it came to it.
        let (earlier, question) = if quotes { (&[][..], sought.as_str()) } else { (self.earlier, self.text) };
        let stream = steps.are_heard() && !quotes;
        let body = brief::request(self.model, stream, &found, earlier, question, self.most_tokens);
        let body = Bytes::from(serde_json::to_vec(&body).map_err(|error| Problem::internal(error.to_string()))?);
        let request = ClientRequest::read(Operation::Chat, body)
            .map_err(|error| Problem::internal(format!("our own request: {}", error.sentence())))?;
        let served = self.app.door.call(self.scope, self.spender, &request, &resolved.targets).await;
        let answered = served.map_err(|failed| problem(failed, self.model))?;
        allowance::say(answered.headers);
        self.app.models.served_by(self.scope, &resolved.targets[answered.by]);
        let spoken = match answered.served {
            Served::Whole(whole, receipt) => {
                let reply = gateway::shape::answer(&whole.body).unwrap_or_default();
                let text = reply.pointer("/choices/0/message/content").and_then(Value::as_str).unwrap_or("");
                let model = reply.pointer("/model").and_then(Value::as_str).unwrap_or(self.model);
                let text = if whole.status == StatusCode::OK { text.to_owned() } else { String::new() };
                Spoken {
                    text,
                    model: model.to_owned(),
                    usage: receipt.id,
                    cost_micros: receipt.cost_micros,
                    tokens: whole.usage.unwrap_or_default(),
                }
            }
            Served::Stream(stream) => listen(*stream, &found, steps).await?,
        };
        if spoken.text.trim().is_empty() {
            return Err(Problem::new("upstream_failed", "The model gave no answer; ask again, or name another model."));
        }
        let said = Said { reranked, ..checked(spoken, &found) };
        // Without citations nothing was told yet to who cannot take it back.
        if !stream || (steps.are_final() && said.unknown) {
            steps.say(Step::Delta(said.text.clone())).await;
        }
        Ok(said)
    }

    /// The passages that a model is given, the best first, and what became of their order.
    async fn passages(&self, sought: &str) -> Result<(Vec<Found>, Option<Ordered>)> {
        let filter = Filter::default();
        let asked = Asked {
            query: sought,
            spender: self.spender,
            limit: LOOKED_AT,
            collections: self.collections,
            project: self.project,
            filter: &filter,
            explain: false,
        };
        let looked = look(self.app, self.scope, &asked).await?;
        let mut found = support::supporting(looked.found, sought);
        let reranked = match self.rerank {
            Some(wish) => Some(self.reorder(wish, sought, &mut found).await?),
            None => None,
        };
        found.truncate(PASSAGES);
        Ok((found, reranked))
    }

    /// Lets a model put what can support an answer into order, before what is too much is left out.
    async fn reorder(&self, wish: &Rerank, sought: &str, found: &mut [Found]) -> Result<Ordered> {
        let before: Vec<ChunkId> = found.iter().map(|one| one.chunk.id).collect();
        let outcome = rerank::rerank(self.app, self.scope, self.spender, wish, sought, found).await?;
        let was = |one: &Found| before.iter().position(|id| *id == one.chunk.id).map(|place| place + 1);
        Ok(Ordered { outcome, order: found.iter().take(PASSAGES).filter_map(was).collect() })
    }

    fn unknown(&self) -> Said {
        Said {
            text: brief::UNKNOWN.into(),
            citations: Vec::new(),
            unknown: true,
            extractive: false,
            model: self.model.to_owned(),
            usage: None,
            cost_micros: 0,
            tokens: Usage::default(),
            reranked: None,
        }
    }
}

/// Passes a model's words on as they come, as far as they are harmless, and gives all of them. To who cannot take words back, only
/// sentences that were checked are told.
async fn listen(mut stream: MeteredStream, found: &[Found], steps: &Steps) -> Result<Spoken> {
    let (mut words, mut text) = (Words::default(), String::new());
    let (mut outgoing, mut checking) = (Outgoing::new(found), Checking::new(found));
    let checks = steps.are_final();
    while let Some(frame) = stream.next().await? {
        let more = words.frame(&frame.bytes);
        let out = if checks { checking.push(&more) } else { outgoing.push(&more) };
        text.push_str(&more);
        if !out.is_empty() {
            steps.say(Step::Delta(out)).await;
        }
    }
    if !words.is_complete() {
        return Err(Problem::new(
            "upstream_failed",
            "The model broke off its answer; ask again, or name another model.",
        ));
    }
    let rest = if checks { checking.end().0 } else { outgoing.end() };
    if !rest.is_empty() {
        steps.say(Step::Delta(rest)).await;
    }
    let receipt = stream.receipt();
    Ok(Spoken {
        text,
        model: words.model().to_owned(),
        usage: receipt.id,
        cost_micros: receipt.cost_micros,
        tokens: stream.usage().unwrap_or_default(),
    })
}

/// What the passages bear out. A claim without a source is not an answer.
fn checked(spoken: Spoken, found: &[Found]) -> Said {
    let Spoken { text, model, usage, cost_micros, tokens } = spoken;
    let extractive = model == EXTRACTIVE;
    let mut cited = citing::check(&text, found);
    if extractive && cited.citations.is_empty() {
        cited = citing::nearest(found);
    }
    let unknown = cited.citations.is_empty();
    let text = if unknown { brief::UNKNOWN.into() } else { cited.text };
    Said {
        text,
        citations: cited.citations,
        unknown,
        extractive,
        model,
        usage: Some(usage),
        cost_micros,
        tokens,
        reranked: None,
    }
}
