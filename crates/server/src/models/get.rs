//! `GET /api/v1/models/{model}`: whom a name leads to, in order. It may be a model's own name or an alias.

use domain::access::can;
use metering::call::Target;
use schemars::JsonSchema;
use serde::Serialize;

use super::list::{Place, PriceView};
use super::resolve::Source;
use crate::http::body::{Path, Query};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Found;

/// Whom a name leads to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ModelRoute")]
pub(crate) struct RouteView {
    /// What to send as `model`.
    id: String,
    /// Who is asked, in order: the next one when one cannot answer.
    targets: Vec<Step>,
}

/// Who is asked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ModelRouteStep")]
struct Step {
    /// The provider: an id, or `openai`, `anthropic`, `embedded`.
    provider: String,
    /// What the provider is called.
    provider_name: String,
    /// Who provides it.
    source: Source,
    /// The provider's name for the model.
    model: String,
    /// What it costs; none when nobody knows: it is not asked then.
    price: Option<PriceView>,
}

impl Step {
    fn of((target, (source, name)): (&Target, &(Source, String))) -> Self {
        Self {
            provider: target.label.clone(),
            provider_name: name.clone(),
            source: *source,
            model: target.model.clone(),
            price: target.quote.as_deref().cloned().map(PriceView::from),
        }
    }
}

pub(crate) async fn get(
    local: Local<can::ModelsUse>,
    Path(model): Path<String>,
    Query(place): Query<Place>,
) -> Result<Found<RouteView>> {
    let project = place.project_id.or(local.selected_project());
    let caller = match project {
        Some(project) => local.project(project).await?.0,
        None => local.organisation().await?,
    };
    let resolved = caller.models().resolve(caller.scope(), Some(caller.user()), project, &model).await?;
    let targets = resolved.targets.iter().zip(&resolved.providers).map(Step::of).collect();
    Ok(Found(RouteView { id: model, targets }))
}
