//! `POST /api/v1/auth/api-keys`: makes an API key.

use std::num::NonZeroU32;

use domain::access::{Level, PermissionSet, can};
use domain::address::Network;
use domain::api_key::Mode;
use domain::authoriser::Object;
use domain::money::{Currency, Micros};
use domain::text::KeyName;
use domain::{ProjectId, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use store::default_key_scopes;
use tenancy::keys::{self, LIFETIME, Limits, NewKey};
use tenancy::roles;

use super::NewApiKey;
use super::place::{Limited, calling_key, refuse_anew, refuse_looser};
use crate::http::body::Body;
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Created, Versioned};

/// The most entries of an address list.
pub(super) const MOST_ADDRESSES: usize = 100;

/// An API key to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateApiKey {
    name: KeyName,
    /// What it may do at most; all that its maker may do but what widens access, when left out.
    #[serde(default)]
    scopes: Option<PermissionSet>,
    /// The project it is for; the whole organisation when left out.
    #[serde(default)]
    project_id: Option<ProjectId>,
    /// When it ends; in 90 days when left out.
    #[serde(default)]
    expires_at: Option<Time>,
    /// `live` when left out.
    #[serde(default)]
    mode: Option<Mode>,
    /// From where it may be used; anywhere when left out.
    #[serde(default)]
    addresses: Vec<Network>,
    /// Requests a minute.
    #[serde(default)]
    rate_per_minute: Option<NonZeroU32>,
    /// Requests a day.
    #[serde(default)]
    calls_per_day: Option<NonZeroU32>,
    /// What it may spend a month, in millionths of the currency.
    #[serde(default)]
    budget_micros: Option<Micros>,
    /// The currency of the budget.
    #[serde(default)]
    currency: Option<Currency>,
}

pub(crate) async fn create(
    local: Local<can::KeysCreate>,
    Body(body): Body<CreateApiKey>,
) -> Result<Versioned<Created<NewApiKey>>> {
    let (caller, place) = match body.project_id {
        None => (local.organisation().await?, Object::Organisation),
        Some(id) => {
            let (caller, project) = local.project(id).await?;
            if project.archived_at.is_some() {
                return Err(Problem::new("conflict", "The project is archived; restore it first."));
            }
            (caller, Object::Project { id, open: project.open })
        }
    };
    caller.require_factor()?;
    let scopes = body.scopes.unwrap_or_else(|| default_key_scopes(caller.scope().grants().at(place)));
    if scopes.is_empty() {
        return Err(Problem::field("scopes", "must name at least one permission"));
    }
    let beyond = scopes.without(PermissionSet::at(Level::Project)).iter().next();
    if let (Some(_), Some(beyond)) = (body.project_id, beyond) {
        return Err(Problem::field("scopes", format!("must be of a project's permissions; {beyond} is none")));
    }
    caller.told(roles::within(caller.scope().grants().at(place), scopes), "scopes of an API key").await?;
    if body.expires_at.is_some_and(|at| at <= caller.ambient().now()) {
        return Err(Problem::field("expires_at", "must lie in the future"));
    }
    check_addresses(&body.addresses)?;
    let budget_micros = body.budget_micros.map(Micros::get);
    let currency = body.currency.map(|currency| currency.to_string());
    check_budget(budget_micros, currency.as_deref())?;
    let own = calling_key(&caller).await?;
    refuse_anew(&caller, own.as_ref()).await?;
    let usual = caller.ambient().now() + LIFETIME;
    let expires_at = body.expires_at.unwrap_or_else(|| match own.as_ref().and_then(|own| own.expires_at) {
        Some(own) => usual.min(own),
        None => usual,
    });
    let limits = Limits {
        rate_per_minute: body.rate_per_minute.map(|rate| rate.get().into()),
        calls_per_day: body.calls_per_day.map(|calls| calls.get().into()),
        budget_micros,
        currency,
    };
    let addresses: Vec<String> = body.addresses.iter().map(|network| network.as_str().to_owned()).collect();
    let limited = Limited {
        addresses: &addresses,
        rate_per_minute: limits.rate_per_minute,
        calls_per_day: limits.calls_per_day,
        budget: (limits.budget_micros, limits.currency.as_deref()),
    };
    refuse_looser(own.as_ref(), &limited, Some(expires_at))?;
    let new = NewKey {
        name: body.name,
        mode: body.mode.unwrap_or(Mode::Live),
        project: body.project_id,
        scopes,
        addresses: body.addresses,
        limits,
        expires_at: Some(expires_at),
    };
    let fresh = keys::create(caller.house(), caller.scope(), &new).await?;
    let reply = Versioned(fresh.key.version, Created(NewApiKey::of(&fresh)));
    caller.commit_control(fresh.tx, reply).await
}

pub(super) fn check_addresses(addresses: &[Network]) -> Result<()> {
    if addresses.len() <= MOST_ADDRESSES {
        return Ok(());
    }
    Err(Problem::field("addresses", format!("must be at most {MOST_ADDRESSES} addresses or networks")))
}

/// An amount says nothing without its currency, nor the other way round.
pub(super) fn check_budget(budget_micros: Option<i64>, currency: Option<&str>) -> Result<()> {
    match (budget_micros, currency) {
        (Some(_), None) => Err(Problem::field("currency", "must be given with budget_micros")),
        (None, Some(_)) => Err(Problem::field("budget_micros", "must be given with currency")),
        _ => Ok(()),
    }
}
