//! Asks models elsewhere for vectors, through the one door of all models: so budgets and limits hold for it, and the ledger has it.

use std::time::Duration;

use axum::body::Bytes;
use gateway::{ClientRequest, Operation};
use knowledge::models::{Elsewhere, Refusal, Vectorised};
use metering::call::{Door, Served};
use metering::rules::Spender;
use serde::Deserialize;
use serde_json::json;
use store::Scope;

use super::name;
use crate::gateway::problem;
use crate::models::{Models, Unresolved};

/// Whoever asks models elsewhere.
#[derive(Clone)]
pub(crate) struct Asker {
    models: Models,
    door: Door,
}

impl std::fmt::Debug for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asker").finish_non_exhaustive()
    }
}

/// What is read of an answer.
#[derive(Deserialize)]
struct Given {
    data: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    #[serde(default)]
    index: Option<usize>,
    embedding: Vec<f32>,
}

impl Asker {
    pub(crate) fn new(models: Models, door: Door) -> Self {
        Self { models, door }
    }

    /// The vectors of texts in their order, as the model's server gives them.
    pub(super) async fn ask(
        &self,
        scope: &Scope,
        spender: Spender,
        model: &str,
        texts: Vec<String>,
    ) -> Result<Vec<Vec<f32>>, Refusal> {
        let target = name::target(model);
        let resolved = self.models.resolve_chosen(scope, &target).await.map_err(|unresolved| match unresolved {
            Unresolved::Unknown { .. } => {
                let message = "The provider of the chosen embedding model is not there any more; choose another one.";
                Refusal::new("model_not_found", message)
            }
            Unresolved::Store(error) => {
                tracing::warn!(%error, "a model that embeds could not be looked up");
                Refusal::new("busy", "The model could not be looked up right now.")
            }
        })?;
        let wrong = |why: &str| {
            tracing::warn!(why, model, "an answer holds no vectors");
            Refusal::new("upstream_failed", "The embedding model's server gave an answer that holds no vectors.")
        };
        let body = json!({ "model": target.model, "input": texts, "encoding_format": "float" });
        let body = Bytes::from(body.to_string());
        let request = ClientRequest::read(Operation::Embeddings, body).map_err(|error| wrong(&error.sentence()))?;
        let called = self.door.call(scope, spender, &request, &resolved.targets).await;
        let answered = called.map_err(|failed| refused(&problem(failed, target.model.as_str())))?;
        self.models.served_by(scope, &resolved.targets[answered.by]);
        let Served::Whole(whole, _) = answered.served else { return Err(wrong("a stream")) };
        let given = tokio::task::spawn_blocking(move || serde_json::from_slice::<Given>(&whole.body)).await;
        let given = given.map_err(|error| wrong(&error.to_string()))?.map_err(|error| wrong(&error.to_string()))?;
        in_order(given).ok_or_else(|| wrong("indexes that are none"))
    }
}

/// The vectors in the order in which they were asked for; none when their indexes name no order.
fn in_order(given: Given) -> Option<Vec<Vec<f32>>> {
    let mut ordered: Vec<Option<Vec<f32>>> = given.data.iter().map(|_| None).collect();
    for (at, one) in given.data.into_iter().enumerate() {
        let place = ordered.get_mut(one.index.unwrap_or(at))?;
        if place.replace(one.embedding).is_some() {
            return None;
        }
    }
    ordered.into_iter().collect()
}

/// What is said of a refusal. Whoever sees the documents may not see what is left of a budget.
fn refused(problem: &crate::http::error::Problem) -> Refusal {
    let message = match problem.code {
        "budget_exceeded" => "A budget of the organisation has no room for the embedding model.".to_owned(),
        "quota_exceeded" => "A quota of the organisation has no room for the embedding model.".to_owned(),
        "rate_limited" => "A rate limit has no room for the embedding model.".to_owned(),
        _ => problem.message.to_string(),
    };
    Refusal { retry_after: problem.retry_after.map(Duration::from_secs), ..Refusal::new(problem.code, message) }
}

impl Elsewhere for Asker {
    fn usual(&self) -> &str {
        self.models.usual_embedding()
    }

    /// The organisation pays for its own passages.
    fn embed<'a>(&'a self, scope: &'a Scope, model: &'a str, texts: Vec<String>) -> Vectorised<'a> {
        Box::pin(self.ask(scope, Spender::organisation(), model, texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_name_the_order() {
        let read = |text: &str| in_order(serde_json::from_str(text).expect("vectors"));
        let one = |index: &str, number: u8| format!("{{{index}\"embedding\":[{number}]}}");
        let list = |parts: &[String]| format!("{{\"data\":[{}]}}", parts.join(","));
        let turned = list(&[one("\"index\":1,", 1), one("\"index\":0,", 2)]);
        assert_eq!(read(&turned), Some(vec![vec![2.0], vec![1.0]]));
        assert_eq!(read(&list(&[one("", 1), one("", 2)])), Some(vec![vec![1.0], vec![2.0]]));
        for wrong in [
            list(&[one("\"index\":1,", 1)]),
            list(&[one("\"index\":0,", 1), one("\"index\":0,", 2)]),
            list(&[one("\"index\":7,", 1), one("\"index\":0,", 2)]),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }
}
