//! `PUT /api/v1/knowledge/embedding`: chooses the model by which documents are embedded. It takes the place of the one before when it has
//! embedded as much; until then that one answers.

use domain::ProviderId;
use domain::access::can;
use domain::models::ProviderKind;
use domain::text::ModelName;
use gateway::providers::embedded::MINILM;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::aliases::AliasTarget;
use store::org::knowledge::embedding;
use store::org::providers;

use super::{EmbeddingView, begun, name, queue};
use crate::http::body::{Body, IfMatch};
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};
use crate::models::ITSELF;

/// A model that embeds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChooseEmbedding {
    /// The id of a provider of the organisation, `openai` for the installation's, or `embedded`. It is given the text of all documents.
    provider: String,
    /// The provider's name for the model; `rowhouse-minilm` for the embedded one.
    model: ModelName,
}

pub(crate) async fn put(
    caller: Caller<can::ProvidersWrite>,
    expected: IfMatch,
    Body(body): Body<ChooseEmbedding>,
) -> Result<Versioned<Found<EmbeddingView>>> {
    // As whoever says where a model is asked.
    caller.require_factor()?;
    let chosen = AliasTarget { provider: body.provider, model: body.model };
    check(&caller, &chosen).await?;
    let wanted = name::on_vectors(&chosen);
    let job = queue(&caller).await?;
    let mut tx = caller.begin().await?;
    let (before, mut row) = begun(&caller, &mut tx, job).await?;
    expected.check(before.as_ref().map_or(0, |before| before.version))?;
    row.aim(&wanted);
    row.choice = Some(wanted.clone());
    embedding::choose(&mut tx, &row).await?;
    let mut event = Event::new("embedding.chosen", caller.org()).after(&row).detail(json!({ "model": wanted }));
    if let Some(before) = &before {
        event = event.before(before);
    }
    tx.record(event).await?;
    let (version, view) = EmbeddingView::read(&mut tx).await?;
    let reply = caller.commit(tx, Versioned(version, Found(view))).await?;
    caller.store().wake_workers();
    Ok(reply)
}

/// Refuses who cannot embed for the whole organisation.
async fn check(caller: &Caller<can::ProvidersWrite>, chosen: &AliasTarget) -> Result<()> {
    if chosen.provider == ITSELF {
        return if chosen.model.as_str() == MINILM {
            Ok(())
        } else {
            Err(Problem::field("model", format!("must be {MINILM}, the embedded model that makes embeddings")))
        };
    }
    let kind = match chosen.provider.parse::<ProviderId>() {
        Ok(id) => {
            let mut tx = caller.read().await?;
            let found = providers::find(&mut tx, id).await?;
            found.filter(|found| found.user_id.is_none() && found.project_id.is_none()).map(|found| found.kind)
        }
        Err(_) => [ProviderKind::OpenAi, ProviderKind::Anthropic]
            .into_iter()
            .find(|kind| chosen.provider == kind.as_str() && caller.models().offers(*kind)),
    };
    match kind {
        Some(ProviderKind::OpenAi) => {}
        Some(ProviderKind::Anthropic) => {
            return Err(Problem::field("provider", "makes no embeddings: it must be of the kind openai"));
        }
        None => {
            let rule = "is no provider of the whole organisation; GET /api/v1/providers lists them";
            return Err(Problem::field("provider", rule));
        }
    }
    let resolved = caller.models().resolve_chosen(caller.scope(), chosen).await;
    let priced = resolved.is_ok_and(|resolved| resolved.targets.iter().all(|target| target.quote.is_some()));
    if priced {
        return Ok(());
    }
    Err(Problem::field("model", "has no known price there; name it with its price at the provider"))
}
