//! `PATCH /api/v1/providers/{id}`: changes a provider, or puts a new key in the place of its old one.

use std::collections::BTreeMap;

use domain::access::can;
use domain::secret::SecretText;
use domain::text::ProviderName;
use domain::{ProviderId, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::org::providers::{self, Provider, SEALED};
use store::{Json, Sealed};

use super::ProviderView;
use super::body::{self, ModelBody};
use super::create::may_price;
use super::place::writable;
use crate::http::body::{Body, IfMatch, Path, present};
use crate::http::caller::{Caller, Local};
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};
use crate::models::upstream::Secrets;

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateProvider {
    #[serde(default)]
    name: Option<ProviderName>,
    /// Another address. The key and the headers must be given again with it: nobody shall send a key they do not know elsewhere.
    #[serde(default)]
    base_url: Option<String>,
    /// Another key; `null` for none.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<SecretText>")]
    api_key: Option<Option<SecretText>>,
    /// Other models.
    #[serde(default)]
    models: Option<Vec<ModelBody>>,
    /// Other headers, in the place of all that there are.
    #[serde(default)]
    headers: Option<BTreeMap<String, SecretText>>,
    /// When it is not asked any more; `null` for never.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Time>")]
    expires_at: Option<Option<Time>>,
}

pub(crate) async fn update(
    local: Local<can::ProvidersWrite>,
    Path(id): Path<ProviderId>,
    expected: IfMatch,
    Body(body): Body<UpdateProvider>,
) -> Result<Versioned<Found<ProviderView>>> {
    let mut caller = local.each();
    let before = writable(&mut caller, id).await?;
    expected.check(before.version)?;
    let mut provider = before.clone();
    if let Some(name) = body.name {
        provider.name = name;
    }
    if let Some(models) = body.models {
        provider.models = Json(body::models(models)?);
        if provider.user_id.is_some() {
            may_price(&caller, &provider.models.0).await?;
        }
    }
    if let Some(expires_at) = body.expires_at {
        if expires_at.is_some_and(|at| at <= caller.ambient().now()) {
            return Err(Problem::field("expires_at", "must lie in the future; to end it now, delete it"));
        }
        provider.expires_at = expires_at;
    }
    let moves = body.base_url.as_ref().is_some_and(|url| *url != provider.base_url);
    if moves || body.api_key.is_some() || body.headers.is_some() {
        caller.require_factor()?;
        let mut secrets = caller.models().secrets(caller.scope(), &before).await?;
        let lacks = [
            ("api_key", secrets.key.is_some() && body.api_key.is_none()),
            ("headers", !secrets.headers.is_empty() && body.headers.is_none()),
        ];
        if let Some((field, _)) = lacks.iter().find(|(_, lacks)| moves && *lacks) {
            return Err(Problem::field(*field, "must be given again with another base_url"));
        }
        provider.base_url = body.base_url.unwrap_or(provider.base_url);
        if let Some(key) = body.api_key {
            secrets.key = Secrets::of_key(key.as_ref()).key;
        }
        if let Some(headers) = body.headers {
            secrets.headers = body::headers(headers)?;
        }
        body::check(caller.models(), provider.kind, &provider.base_url, &secrets)?;
        let sealed = seal(&caller, id, &secrets).await?;
        provider.key_version = sealed.key_version;
        provider.sealed = (!secrets.is_empty()).then_some(sealed.bytes);
        provider.key_last4 = body::last4(secrets.key.as_deref());
        provider.headers = Json(secrets.headers.keys().cloned().collect());
    }
    save(&caller, &before, &provider).await
}

/// Writes the changes, unless somebody else was faster.
async fn save(
    caller: &Caller<can::ProvidersWrite>,
    before: &Provider,
    provider: &Provider,
) -> Result<Versioned<Found<ProviderView>>> {
    let mut tx = caller.begin().await?;
    providers::update(&mut tx, provider).await?;
    let after = providers::get(&mut tx, provider.id).await?;
    tx.record(Event::new("provider.updated", provider.id).before(before).after(&after)).await?;
    let reply = caller.commit(tx, Versioned(after.version, Found(after.into()))).await?;
    caller.models().forget(caller.scope(), Some(provider.id));
    Ok(reply)
}

/// Seals what must not be read.
pub(super) async fn seal(caller: &Caller<can::ProvidersWrite>, id: ProviderId, secrets: &Secrets) -> Result<Sealed> {
    let open = serde_json::to_vec(secrets).map_err(|_| Problem::internal("secrets of a provider do not serialise"))?;
    Ok(caller.store().open(caller.scope()).seal(SEALED, id, &open).await?)
}
