//! API keys: credentials of programs. A key acts for its maker, for one organisation or one project of it, within its scopes.
//!
//! Whose key it is decides what can be done with it: the own ones take `keys.create` where the key is for, those of others
//! `keys.manage`. A key that is out of reach does not exist for the caller.

mod create;
mod get;
mod list;
mod place;
mod revoke;
mod rotate;
mod update;

use domain::access::Permission;
use domain::text::KeyName;
use domain::{ApiKeyId, ProjectId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::api_keys::ApiKey;
use tenancy::keys::Fresh;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/auth/api-keys", "Lists API keys: the own ones, and those that the caller manages.", list::list)
        .post("/api/v1/auth/api-keys", "Makes an API key and shows it once.", create::create)
        .get("/api/v1/auth/api-keys/{id}", "Shows an API key, without the key itself.", get::get)
        .patch("/api/v1/auth/api-keys/{id}", "Changes an API key's name, addresses or limits.", update::update)
        .delete("/api/v1/auth/api-keys/{id}", "Revokes an API key, at once.", revoke::revoke)
        .post(
            "/api/v1/auth/api-keys/{id}/rotate",
            "Puts a new key in the place of one, with a grace period.",
            rotate::rotate,
        )
}

/// An API key.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApiKey")]
pub(crate) struct ApiKeyView {
    id: ApiKeyId,
    /// What it is for.
    name: KeyName,
    /// How the key begins; no secret.
    prefix: String,
    /// How the key ends.
    last4: String,
    /// `live` or `test`.
    mode: String,
    /// What it may do at most; it may never do more than its maker.
    scopes: Vec<Permission>,
    /// The project it is for, if only one.
    project_id: Option<ProjectId>,
    /// From where it may be used: addresses or networks; empty for anywhere.
    addresses: Vec<String>,
    /// Requests a minute.
    rate_per_minute: Option<i64>,
    /// Requests a day.
    calls_per_day: Option<i64>,
    /// What it may spend a month, in millionths of the currency.
    budget_micros: Option<i64>,
    currency: Option<String>,
    /// Its maker, for whom it acts.
    user_id: UserId,
    created_at: Time,
    expires_at: Option<Time>,
    /// When it was last used, to the minute.
    last_used_at: Option<Time>,
    /// When it was, or will be, revoked: a rotated key lives on for its grace period.
    revoked_at: Option<Time>,
    /// The key that took its place.
    replaced_by: Option<ApiKeyId>,
    /// The key that made it, if one did: it ends with that one.
    made_by_key: Option<ApiKeyId>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: format!("rh_{}_{}", key.mode, key.public_id),
            last4: key.last4,
            mode: key.mode,
            // A permission that this version no longer knows gives nothing.
            scopes: key.scopes.0.iter().filter_map(|name| name.parse().ok()).collect(),
            project_id: key.project_id,
            addresses: key.addresses.0,
            rate_per_minute: key.rate_per_minute,
            calls_per_day: key.calls_per_day,
            budget_micros: key.budget_micros,
            currency: key.currency,
            user_id: key.user_id,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.seen_at,
            revoked_at: key.revoked_at,
            replaced_by: key.replaced_by,
            made_by_key: key.made_by_key,
        }
    }
}

/// A new API key with the key itself, which is shown this once and kept nowhere.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewApiKey {
    /// The key, for `Authorization: Bearer`.
    key: String,
    #[serde(flatten)]
    about: ApiKeyView,
}

impl NewApiKey {
    fn of(fresh: &Fresh) -> Self {
        Self { key: fresh.presented.expose(), about: fresh.key.clone().into() }
    }
}
