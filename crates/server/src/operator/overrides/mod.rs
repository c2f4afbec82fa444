//! Exceptions from an organisation's plan, with or without an end.

mod create;
mod delete;
mod list;

use domain::plan::Exception;
use domain::{OverrideId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use store::control::overrides::OverrideRow;

use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/v1/operator/orgs/{organisation}/overrides";
    routes
        .get(ALL, "Lists the exceptions from an organisation's plan.", list::list)
        .post(ALL, "Makes an exception from an organisation's plan.", create::create)
        .delete(
            "/api/v1/operator/orgs/{organisation}/overrides/{id}",
            "Takes an exception from an organisation's plan back.",
            delete::delete,
        )
}

/// What the organisation's log says of an exception: what it changes, until when, and why.
fn told(row: &OverrideRow) -> Value {
    json!({ "exception": row.to_domain().map(|known| known.exception), "until": row.until, "reason": row.reason })
}

/// An exception from a plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlanOverride")]
pub(crate) struct OverrideView {
    id: OverrideId,
    /// What it changes; null when this version does not know the meter or the feature.
    exception: Option<Exception>,
    /// When it ends; null when it holds until it is taken back.
    until: Option<Time>,
    /// Why it was made.
    reason: String,
    created_at: Time,
}

impl From<OverrideRow> for OverrideView {
    fn from(row: OverrideRow) -> Self {
        Self {
            id: row.id,
            exception: row.to_domain().map(|known| known.exception),
            until: row.until,
            reason: row.reason,
            created_at: row.created_at,
        }
    }
}
