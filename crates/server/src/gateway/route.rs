//! From the name of a model to those who serve it.

use std::sync::Arc;

use gateway::Upstream;
use gateway::providers::Embedded;
use gateway::providers::embedded::EXTRACTIVE;
use metering::call::Target;
use metering::rules::Spender;
use store::Scope;

use super::models::Model;
use crate::App;
use crate::http::error::{Problem, Result};

/// Where a call of a model can go, in the order in which it is tried.
pub(crate) async fn resolve(app: &App, _scope: &Scope, _spender: Spender, model: &str) -> Result<Vec<Target>> {
    let now = app.house.store.ambient().now();
    if model == EXTRACTIVE {
        return Ok(vec![Target {
            id: 1,
            label: "embedded".into(),
            upstream: Arc::new(Upstream::embedded(Embedded::Extractive)),
            model: EXTRACTIVE.into(),
            quote: app.rules.prices().quote(EXTRACTIVE, now),
        }]);
    }
    Err(Problem {
        param: Some("model".into()),
        ..Problem::new(
            "model_not_found",
            format!("There is no model {model:?} that you can use; GET /v1/models lists them."),
        )
    })
}

/// The models that somebody can use.
pub(super) async fn models(_app: &App, _scope: &Scope, _spender: Spender) -> Result<Vec<Model>> {
    Ok(vec![Model::new(EXTRACTIVE, "rowhouse")])
}
