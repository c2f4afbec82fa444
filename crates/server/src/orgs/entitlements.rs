//! `GET /api/v1/orgs/{org_id}/entitlements`: what the plan includes with its exceptions, and how much of it is taken.

use domain::access::can;
use domain::plan::Entitlements;
use schemars::JsonSchema;
use serde::Serialize;
use tenancy::entitlements;

use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Found;

/// What the organisation may have and use.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EntitlementsAndUse")]
pub(crate) struct View {
    #[serde(flatten)]
    entitlements: Entitlements,
    used: Used,
}

/// How much is taken.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Used {
    /// Members and open invitations.
    seats: u64,
}

pub(crate) async fn entitlements(caller: Caller<can::OrgRead>) -> Result<Found<View>> {
    let mut tx = caller.store().read_control().await?;
    let entitlements = entitlements::of(caller.house(), &mut tx, caller.org()).await?;
    let seats = entitlements::seats_taken(caller.house(), &mut tx, caller.org()).await?;
    Ok(Found(View { entitlements, used: Used { seats } }))
}
