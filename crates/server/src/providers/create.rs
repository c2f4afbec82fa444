//! `POST /api/v1/providers`: brings a provider of models, with its key, for the organisation, a project or oneself.

use std::collections::BTreeMap;

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::models::ProviderKind;
use domain::secret::SecretText;
use domain::text::ProviderName;
use domain::{ProjectId, ProviderId, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::providers::{self, Provider};
use store::{Json, Tx};

use super::body::{self, ModelBody};
use super::{ProviderView, update};
use crate::http::body::Body;
use crate::http::caller::{Caller, Local};
use crate::http::error::{Problem, Result};
use crate::http::reply::{Created, Versioned};
use crate::models::upstream::Secrets;
use crate::models::{OWN_PROVIDERS, SHARED_PROVIDERS};

/// A provider to bring.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateProvider {
    /// Which dialect it speaks.
    kind: ProviderKind,
    /// Where it is; normally ending in `/v1`. The maker's own address when left out.
    #[serde(default)]
    base_url: Option<String>,
    /// Its key, which is never shown again; none for a server that takes none.
    #[serde(default)]
    api_key: Option<SecretText>,
    /// What it is called; the host of its address when left out.
    #[serde(default)]
    name: Option<ProviderName>,
    /// The models it is asked for; all of its kind that have a price when left out.
    #[serde(default)]
    models: Vec<ModelBody>,
    /// The project it is for; the whole organisation when left out.
    #[serde(default)]
    project_id: Option<ProjectId>,
    /// Whether it is for the caller alone.
    #[serde(default)]
    user_only: bool,
    /// Headers that it is sent; their values are kept like the key.
    #[serde(default)]
    headers: BTreeMap<String, SecretText>,
    /// When it is not asked any more; never when left out.
    #[serde(default)]
    expires_at: Option<Time>,
}

pub(crate) async fn create(
    local: Local<can::ProvidersWrite>,
    Body(body): Body<CreateProvider>,
) -> Result<Versioned<Created<ProviderView>>> {
    let caller = place(local, &body).await?;
    // Whoever brings a key says where it goes.
    caller.require_factor()?;
    let models = body::models(body.models)?;
    if body.user_only {
        may_price(&caller, &models).await?;
    }
    if body.expires_at.is_some_and(|at| at <= caller.ambient().now()) {
        return Err(Problem::field("expires_at", "must lie in the future"));
    }
    let base_url = body.base_url.unwrap_or_else(|| body.kind.base_url().to_owned());
    let secrets = Secrets { headers: body::headers(body.headers)?, ..Secrets::of_key(body.api_key.as_ref()) };
    body::check(caller.models(), body.kind, &base_url, &secrets)?;
    let name = match body.name {
        Some(name) => name,
        None => named_after(&base_url)?,
    };
    let (id, now) = (caller.ambient().id::<ProviderId>(), caller.ambient().now());
    let sealed = update::seal(&caller, id, &secrets).await?;
    let provider = Provider {
        id,
        name,
        kind: body.kind,
        base_url,
        project_id: body.project_id,
        user_id: body.user_only.then(|| caller.user()),
        membership_id: body.user_only.then(|| caller.scope().membership()),
        models: Json(models),
        headers: Json(secrets.headers.keys().cloned().collect()),
        key_last4: body::last4(secrets.key.as_deref()),
        key_version: sealed.key_version,
        sealed: (!secrets.is_empty()).then_some(sealed.bytes),
        expires_at: body.expires_at,
        last_used_at: None,
        made_by: caller.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut tx = caller.begin().await?;
    refuse_more(&mut tx, &provider).await?;
    providers::insert(&mut tx, &provider).await?;
    let detail = json!({ "kind": provider.kind, "project": provider.project_id, "user_only": body.user_only });
    tx.record(Event::new("provider.created", id).after(&provider).detail(detail)).await?;
    let reply = caller.commit(tx, Versioned(1, Created(provider.into()))).await?;
    caller.models().forget(caller.scope(), Some(id));
    Ok(reply)
}

async fn place(local: Local<can::ProvidersWrite>, body: &CreateProvider) -> Result<Caller<can::ProvidersWrite>> {
    if body.user_only {
        let mut caller = local.each();
        if !caller.scope().grants().allow(Permission::ProvidersOwn, Object::Organisation) {
            return Err(caller.deny(Permission::ProvidersOwn, "organisation").await);
        }
        caller.answered()?;
        if body.project_id.is_some() {
            return Err(Problem::field(
                "user_only",
                "cannot be given with project_id: it is for the caller or for the project",
            ));
        }
        return Ok(caller);
    }
    match body.project_id {
        None => local.organisation().await,
        Some(id) => {
            let (caller, project) = local.project(id).await?;
            if project.archived_at.is_some() {
                return Err(Problem::new("conflict", "The project is archived; restore it first."));
            }
            Ok(caller)
        }
    }
}

/// Prices decide what budgets say: somebody who brings a provider for themselves may name none without the right to do so for all.
pub(super) async fn may_price(caller: &Caller<can::ProvidersWrite>, models: &[providers::Model]) -> Result<()> {
    let priced = models.iter().any(|model| model.price.is_some());
    if priced && !caller.allows(Object::Organisation) {
        return Err(caller.deny(Permission::ProvidersWrite, "prices of an own provider").await);
    }
    Ok(())
}

fn named_after(base_url: &str) -> Result<ProviderName> {
    let endpoint = egress::Endpoint::new(base_url).map_err(|error| Problem::field("base_url", error.to_string()))?;
    let host: String = endpoint.host().chars().take(80).collect();
    ProviderName::new(&host).map_err(|error| Problem::field("name", error.to_string()))
}

/// All providers are read to find one, so there is an end to them.
async fn refuse_more(tx: &mut Tx, provider: &Provider) -> Result<()> {
    let (there, most) = match provider.user_id {
        Some(user) => (providers::of_person(tx, user, OWN_PROVIDERS).await?.len(), OWN_PROVIDERS),
        None => (providers::shared(tx, SHARED_PROVIDERS).await?.len(), SHARED_PROVIDERS),
    };
    if i64::try_from(there).unwrap_or(i64::MAX) < most {
        return Ok(());
    }
    Err(Problem::new(
        "conflict",
        format!("There are {most} providers already, the most there may be; take one away first."),
    ))
}
