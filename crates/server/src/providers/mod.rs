//! Providers of models that an organisation, a project or a person brings, with a key of their own.
//!
//! The key is sealed under the organisation's key and never shown again. Whose provider it is decides what can be done with it: the
//! own ones take `providers.own`, all others `providers.write` where they are for. One that is out of reach does not exist for the
//! caller.

mod body;
mod create;
mod delete;
mod get;
mod list;
mod place;
mod test;
mod update;

use domain::models::ProviderKind;
use domain::text::{ModelName, ProviderName};
use domain::{ProjectId, ProviderId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::providers::{Model, Provider};

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/providers", "Lists providers of models, without their keys.", list::list)
        .post("/api/v1/providers", "Brings a provider of models, with its key.", create::create)
        .get("/api/v1/providers/{id}", "Shows a provider, without its key.", get::get)
        .patch("/api/v1/providers/{id}", "Changes a provider, or its key.", update::update)
        .delete("/api/v1/providers/{id}", "Takes a provider away, and its key.", delete::delete)
        .post("/api/v1/providers/{id}/test", "Tries a provider, and says what is wrong.", test::test)
}

/// A provider of models.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Provider")]
pub(crate) struct ProviderView {
    id: ProviderId,
    name: ProviderName,
    kind: ProviderKind,
    base_url: String,
    /// The project it is for, if only one.
    project_id: Option<ProjectId>,
    /// The person it is for, if only one.
    user_id: Option<UserId>,
    /// The models it is asked for; empty when it is asked for all of its kind that have a price.
    models: Vec<ProviderModel>,
    /// The names of the headers that it is sent; their values are not shown.
    headers: Vec<String>,
    /// How its key ends.
    key_last4: Option<String>,
    /// When it is not asked any more.
    expires_at: Option<Time>,
    /// When it was last asked, to the minute.
    last_used_at: Option<Time>,
    /// Who brought it.
    made_by: UserId,
    created_at: Time,
    updated_at: Time,
}

/// A model of a provider. Prices are in millionths of a US dollar for a million tokens.
#[derive(Debug, Serialize, JsonSchema)]
struct ProviderModel {
    name: ModelName,
    /// What its owner says that tokens read cost; counts where no price list knows the model.
    input_micros: Option<i64>,
    /// The same for tokens written.
    output_micros: Option<i64>,
    /// The same for tokens read from the provider's cache.
    cached_micros: Option<i64>,
    /// Tokens held for an answer whose caller names no limit.
    answer: Option<u64>,
}

impl From<Model> for ProviderModel {
    fn from(model: Model) -> Self {
        let price = model.price;
        Self {
            name: model.name,
            input_micros: price.map(|price| price.input),
            output_micros: price.map(|price| price.output),
            cached_micros: price.and_then(|price| price.cached),
            answer: price.and_then(|price| price.answer),
        }
    }
}

impl From<Provider> for ProviderView {
    fn from(provider: Provider) -> Self {
        Self {
            id: provider.id,
            name: provider.name,
            kind: provider.kind,
            base_url: provider.base_url,
            project_id: provider.project_id,
            user_id: provider.user_id,
            models: provider.models.0.into_iter().map(ProviderModel::from).collect(),
            headers: provider.headers.0,
            key_last4: provider.key_last4,
            expires_at: provider.expires_at,
            last_used_at: provider.last_used_at,
            made_by: provider.made_by,
            created_at: provider.created_at,
            updated_at: provider.updated_at,
        }
    }
}
