//! `POST /api/v1/orgs/{org_id}/transfer`: hands an organisation to another member, who becomes its owner; the caller becomes an admin.

use domain::UserId;
use domain::access::can;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::members;

use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Found;
use crate::members::MemberView;

/// To whom.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferOrg {
    /// A member who may act.
    user_id: UserId,
}

pub(crate) async fn transfer(
    caller: Caller<can::OrgTransfer>,
    Body(body): Body<TransferOrg>,
) -> Result<Found<MemberView>> {
    caller.require_person()?;
    let outcome = members::transfer(caller.house(), caller.scope(), body.user_id).await;
    let (tx, owner) = caller.told(outcome, body.user_id).await?;
    caller.commit_control(tx, Found(MemberView::without_activity(owner))).await
}
