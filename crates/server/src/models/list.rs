//! `GET /api/v1/models`: the models and aliases that the caller can use, with what they cost and who provides them.

use domain::ProjectId;
use domain::access::can;
use domain::prices::Quote;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Scope;

use super::directory::Models;
use super::resolve::{Source, View};
use super::usual;
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// Where the models are to be used.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// In this project; in the one that the request selects, or in none, when left out.
    pub(crate) project_id: Option<ProjectId>,
}

/// What a model costs, in millionths of a US dollar for a million tokens.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ModelPrice")]
pub(crate) struct PriceView {
    /// For tokens read.
    input_micros: i64,
    /// For tokens read from the provider's cache, where that has a price of its own.
    cached_micros: Option<i64>,
    /// For tokens written.
    output_micros: i64,
    /// For a call.
    request_micros: i64,
    /// The version of the price list; `own:...` for a price that the key's owner named.
    version: String,
}

impl From<Quote> for PriceView {
    fn from(Quote { price, version }: Quote) -> Self {
        Self {
            input_micros: price.input,
            cached_micros: price.cached,
            output_micros: price.output,
            request_micros: price.request,
            version,
        }
    }
}

/// A model, or an alias of some.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Model")]
pub(crate) struct ModelView {
    /// What to send as `model`.
    pub(crate) id: String,
    /// Who provides it, for an alias the first in order; none when nobody of those it names is there.
    source: Option<Source>,
    /// The provider: an id, or `openai`, `anthropic`, `embedded`.
    provider: Option<String>,
    /// What the provider is called.
    pub(crate) provider_name: Option<String>,
    /// What it costs, for an alias the first in order; none when nobody knows: it cannot be used then.
    price: Option<PriceView>,
    /// Whom an alias means, in order; absent for a model's own name.
    pub(crate) targets: Option<Vec<TargetView>>,
}

/// A model of a provider.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AliasTarget")]
pub(crate) struct TargetView {
    /// The provider: an id, or `openai`, `anthropic`, `embedded`.
    pub(crate) provider: String,
    /// The provider's name for the model.
    pub(crate) model: String,
}

impl Models {
    /// All that somebody can use in a project or in none: models by name, each with who would be asked, then aliases.
    pub(crate) async fn usable(&self, scope: &Scope, project: Option<ProjectId>) -> store::Result<Vec<ModelView>> {
        let of_org = self.of(scope).await?;
        let own = self.own(&of_org, scope, scope.user()).await?;
        for offered in self.installation().offers.iter().filter(|offered| offered.free) {
            offered.heard.ask(&offered.upstream, self.to_own()).await;
        }
        let view = View::new(self, scope, &of_org, &own, project);
        let mut all = Vec::new();
        let mut aliases: Vec<_> =
            of_org.aliases(project).map(|alias| (alias.name.to_string(), view.named(&alias.targets.0))).collect();
        for name in usual::NAMES {
            let given = aliases.iter().any(|(alias, _)| alias == name);
            aliases.extend(usual::chain(&view, name).filter(|_| !given).map(|chain| (name.to_owned(), chain)));
        }
        aliases.sort_by(|(one, _), (other, _)| one.cmp(other));
        let taken: std::collections::HashSet<String> = aliases.iter().map(|(name, _)| name.clone()).collect();
        let mut names: Vec<String> = view.candidates.iter().flat_map(|one| view.names_of(*one)).collect();
        names.sort_unstable();
        names.dedup();
        for id in names.into_iter().filter(|name| !taken.contains(name)) {
            let Some((one, quote)) = view.serving(&id).into_iter().next() else { continue };
            all.push(ModelView {
                source: Some(one.source()),
                provider: Some(one.label()),
                provider_name: Some(one.name()),
                price: quote.map(PriceView::from),
                targets: None,
                id,
            });
        }
        for (id, chain) in aliases {
            let first = chain.first();
            all.push(ModelView {
                id,
                source: first.map(|(one, ..)| one.source()),
                provider: first.map(|(one, ..)| one.label()),
                provider_name: first.map(|(one, ..)| one.name()),
                price: first.and_then(|(.., quote)| quote.clone()).map(PriceView::from),
                targets: Some(
                    chain.into_iter().map(|(one, model, _)| TargetView { provider: one.label(), model }).collect(),
                ),
            });
        }
        Ok(all)
    }
}

pub(crate) async fn list(local: Local<can::ModelsUse>, Query(place): Query<Place>) -> Result<Found<Page<ModelView>>> {
    let project = place.project_id.or(local.selected_project());
    let caller = match project {
        Some(project) => local.project(project).await?.0,
        None => local.organisation().await?,
    };
    let data = caller.models().usable(caller.scope(), project).await?;
    Ok(Found(Page { data, next_cursor: None }))
}
