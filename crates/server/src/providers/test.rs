//! `POST /api/v1/providers/{id}/test`: asks a provider for its models, which costs nothing, and says in words what is wrong.

use domain::ProviderId;
use domain::access::can;
use gateway::UpstreamError;
use gateway::error::ErrorKind;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::audit::Event;
use store::org::providers::Provider;

use super::place::writable;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::Found;

/// The most names that are shown.
const MOST: usize = 200;

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Trial {
    /// Whether the provider answered and took the key.
    ok: bool,
    /// What happened, in words.
    message: String,
    /// The models that the provider says it has, at most 200.
    models: Vec<String>,
    /// Models that were named here and that it does not have.
    missing: Vec<String>,
}

pub(crate) async fn test(local: Local<can::ProvidersWrite>, Path(id): Path<ProviderId>) -> Result<Found<Trial>> {
    let mut caller = local.each();
    let provider = writable(&mut caller, id).await?;
    if !caller.models().may_try(caller.scope()) {
        return Err(Problem::new("rate_limited", "Providers were tried very often; wait a minute.").retry_after(60));
    }
    let upstream = caller.models().upstream(caller.scope(), &provider).await?;
    let outside = caller.models().outside_for(caller.scope().org());
    let trial = match upstream.models(&outside).await {
        Ok(names) => fine(&provider, names),
        Err(error) => {
            tracing::info!(provider = %id, log = error.log, "a provider was tried in vain");
            let models = Vec::new();
            Trial { ok: false, message: in_words(&error), missing: Vec::new(), models }
        }
    };
    caller.models().used(caller.scope(), id).await;
    let mut tx = caller.begin().await?;
    tx.record(Event::new("provider.tested", id).detail(json!({ "ok": trial.ok }))).await?;
    caller.commit(tx, Found(trial)).await
}

fn fine(provider: &Provider, mut names: Vec<String>) -> Trial {
    let wanted = provider.models.0.iter().map(|model| model.name.as_str());
    let missing: Vec<String> =
        wanted.filter(|name| !names.iter().any(|there| there == name)).map(str::to_owned).collect();
    let message = match (names.len(), missing.len()) {
        (all, 0) => format!("It answers and takes the key; it has {all} models."),
        (all, missing) => {
            format!(
                "It answers and takes the key; it has {all} models, but {missing} of those named here are none of them."
            )
        }
    };
    names.truncate(MOST);
    Trial { ok: true, message, models: names, missing }
}

/// What is wrong. Where nothing answers, one sentence for all reasons: what is behind this server is nobody's business.
fn in_words(error: &UpstreamError) -> String {
    let status = error.status.map(|status| format!(" ({status})")).unwrap_or_default();
    match error.kind {
        ErrorKind::Credentials => format!("It answers, but does not take the key{status}."),
        ErrorKind::NotFound => {
            format!("There is a server, but no list of models at base_url{status}; base_url normally ends in /v1.")
        }
        ErrorKind::RateLimited => format!("It answers, but takes no more requests for now{status}."),
        ErrorKind::Exhausted => format!("It answers, but the account is empty{status}."),
        ErrorKind::Invalid | ErrorKind::Unsupported => format!("It answers, but refuses the question{status}."),
        ErrorKind::Failed if error.status.is_none() => {
            "It answers, but with something else than a list of models; base_url normally ends in /v1.".into()
        }
        ErrorKind::Failed => format!("It answers, but failed{status}."),
        ErrorKind::Timeout => "It did not answer in time.".into(),
        ErrorKind::Unreachable | ErrorKind::Refused => {
            "It cannot be reached: look at base_url; the operator can allow addresses that are not on the internet."
                .into()
        }
    }
}
