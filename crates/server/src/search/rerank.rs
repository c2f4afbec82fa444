//! Lets a model put what was found into another order, through the one door of all models. When it gives none, the order stays, and that
//! is said.

use axum::body::Bytes;
use axum::http::StatusCode;
use gateway::{ClientRequest, Operation};
use knowledge::rerank;
pub(crate) use knowledge::rerank::MOST;
use knowledge::search::Found as Hit;
use metering::call::Served;
use metering::rules::Spender;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use store::Scope;
use store::org::knowledge::documents::Fault;

use crate::App;
use crate::gateway::{problem, route};
use crate::http::error::{Problem, Result};
use crate::http::outliving::{Outliving, Panicked};

/// How long is waited for the order.
const PATIENCE: Duration = Duration::from_secs(30);

/// By which model what was found is put into order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SearchRerank")]
pub(crate) struct Rerank {
    /// A model or an alias that chats. It is given the first 20 passages.
    model: String,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "SearchReranked")]
pub(crate) struct Reranked {
    model: String,
    /// Whether the first passages are in the model's order.
    done: bool,
    /// What it cost, in millionths of a US dollar. Null while the model, which did not answer in time, may still answer: what that
    /// costs is in the usage log.
    cost_micros: Option<i64>,
    /// Why they are not.
    error: Option<Fault>,
}

impl Reranked {
    /// Whether the passages are in the model's order.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }
}

/// Puts the first of what was found into a model's order. What may not be seen is not among it.
/// # Errors
/// When nobody serves a model of this name; whatever else goes wrong is told in what is given.
pub(crate) async fn rerank(
    app: &App,
    scope: &Scope,
    spender: Spender,
    wish: &Rerank,
    query: &str,
    found: &mut [Hit],
) -> Result<Reranked> {
    let resolved = route::resolve(app, scope, spender, &wish.model).await?;
    let count = found.len().min(MOST);
    let outcome = |cost_micros, error: Option<Problem>| Reranked {
        model: wish.model.clone(),
        done: error.is_none(),
        cost_micros,
        error: error.map(|problem| Fault { code: problem.code.into(), message: problem.message.into_owned() }),
    };
    // There is one order of one passage.
    if count < 2 {
        return Ok(outcome(Some(0), None));
    }
    let body = rerank::request(&wish.model, query, &found[..count]).to_string();
    let request = ClientRequest::read(Operation::Chat, Bytes::from(body))
        .map_err(|error| Problem::internal(format!("our own request: {}", error.sentence())))?;
    let call = {
        let (app, scope, resolved) = (app.clone(), scope.clone(), resolved.clone());
        async move { app.door.call(&scope, spender, &request, &resolved.targets).await }
    };
    // The upstream charges for all of it, so it goes on when nobody waits for it any more.
    let called = tokio::time::timeout(PATIENCE, Outliving::new(&app.unattended, call)).await;
    let answered = match called {
        Ok(Ok(Ok(answered))) => answered,
        Ok(Ok(Err(failed))) => return Ok(outcome(Some(0), Some(problem(failed, &wish.model)))),
        Ok(Err(Panicked(why))) => return Err(Problem::internal(format!("a call panicked: {why}"))),
        Err(_) => {
            let late =
                Problem::new("upstream_timeout", "The model did not answer in time; the order is that of the search.");
            return Ok(outcome(None, Some(late)));
        }
    };
    app.models.served_by(scope, &resolved.targets[answered.by]);
    let garbage =
        || Problem::new("upstream_failed", "The model gave no order of the passages; the order is that of the search.");
    let Served::Whole(whole, receipt) = answered.served else { return Ok(outcome(Some(0), Some(garbage()))) };
    let reply = gateway::shape::answer(&whole.body).unwrap_or_default();
    let text =
        reply.pointer("/choices/0/message/content").and_then(Value::as_str).filter(|_| whole.status == StatusCode::OK);
    match text.and_then(|text| rerank::order(text, count)) {
        Some(order) => {
            let before = found[..count].to_vec();
            for (place, from) in order.into_iter().enumerate() {
                found[place] = before[from].clone();
            }
            Ok(outcome(Some(receipt.cost_micros), None))
        }
        None => Ok(outcome(Some(receipt.cost_micros), Some(garbage()))),
    }
}
