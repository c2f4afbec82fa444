//! `PATCH /api/v1/auth/api-keys/{id}`: changes an API key's name, addresses or limits. Its scopes never change: make another key.

use std::num::NonZeroU32;

use domain::ApiKeyId;
use domain::access::can;
use domain::address::Network;
use domain::money::{Currency, Micros};
use domain::text::KeyName;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Json;
use store::audit::Event;
use store::control::api_keys::{self, ApiKey};

use super::ApiKeyView;
use super::create::{check_addresses, check_budget};
use super::place::{Limited, calling_key, reach, refuse_looser};
use crate::http::body::{Body, IfMatch, Path, present};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays, and `null` takes a limit away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateApiKey {
    #[serde(default)]
    name: Option<KeyName>,
    /// From where it may be used; empty for anywhere.
    #[serde(default)]
    addresses: Option<Vec<Network>>,
    /// Requests a minute.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<NonZeroU32>")]
    rate_per_minute: Option<Option<NonZeroU32>>,
    /// Requests a day.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<NonZeroU32>")]
    calls_per_day: Option<Option<NonZeroU32>>,
    /// What it may spend a month, in millionths of the currency.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Micros>")]
    budget_micros: Option<Option<Micros>>,
    /// The currency of the budget.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Currency>")]
    currency: Option<Option<Currency>>,
}

impl UpdateApiKey {
    fn apply(self, key: &mut ApiKey) -> Result<()> {
        if let Some(name) = self.name {
            key.name = name;
        }
        if let Some(addresses) = self.addresses {
            check_addresses(&addresses)?;
            key.addresses = Json(addresses.iter().map(|network| network.as_str().to_owned()).collect());
        }
        if let Some(rate) = self.rate_per_minute {
            key.rate_per_minute = rate.map(|rate| rate.get().into());
        }
        if let Some(calls) = self.calls_per_day {
            key.calls_per_day = calls.map(|calls| calls.get().into());
        }
        if let Some(budget) = self.budget_micros {
            key.budget_micros = budget.map(Micros::get);
        }
        if let Some(currency) = self.currency {
            key.currency = currency.map(|currency| currency.to_string());
        }
        check_budget(key.budget_micros, key.currency.as_deref())
    }
}

/// What limits a key, as the log tells of it.
fn limits(key: &ApiKey) -> Value {
    json!({
        "addresses": key.addresses.0,
        "rate_per_minute": key.rate_per_minute,
        "calls_per_day": key.calls_per_day,
        "budget_micros": key.budget_micros,
        "currency": key.currency,
    })
}

pub(crate) async fn update(
    local: Local<can::KeysCreate>,
    Path(id): Path<ApiKeyId>,
    expected: IfMatch,
    Body(body): Body<UpdateApiKey>,
) -> Result<Versioned<Found<ApiKeyView>>> {
    let caller = local.each();
    reach(&caller, id).await?;
    let own = calling_key(&caller).await?;
    let mut tx = caller.begin_control().await?;
    let before = api_keys::get(&mut tx, caller.org(), id).await?;
    expected.check(before.version)?;
    if before.revoked_at.is_some_and(|at| at <= caller.ambient().now()) {
        return Err(Problem::new("conflict", "The key was revoked; nothing of it can be changed."));
    }
    let mut key = before.clone();
    body.apply(&mut key)?;
    refuse_looser(own.as_ref(), &Limited::from(&key), None)?;
    // Making a key takes a fresh factor, and so does making more of one.
    if refuse_looser(Some(&before), &Limited::from(&key), None).is_err() {
        caller.require_factor()?;
    }
    api_keys::update(&mut tx, &key).await?;
    let key = api_keys::get(&mut tx, caller.org(), id).await?;
    let detail = json!({ "from": limits(&before), "to": limits(&key) });
    caller.record(&mut tx, Event::new("api_key.updated", id).before(&before).after(&key).detail(detail)).await?;
    let exchanged = key.currency != before.currency;
    let reply = caller.commit_control(tx, Versioned(key.version, Found(key.into()))).await?;
    if exchanged {
        // What the key has spent is counted in the other currency from now on.
        caller.recount().await;
    }
    Ok(reply)
}
