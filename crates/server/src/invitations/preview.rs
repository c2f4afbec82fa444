//! `POST /api/v1/invitations/preview`: tells whoever has a link where it leads. It says nothing about the invited address.

use domain::Time;
use domain::role::Role;
use domain::text::OrgName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenancy::invitations::{self, Preview};

use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Found;

/// The link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewInvitation {
    /// What the link holds behind `token=`.
    token: String,
}

/// Where it leads.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InvitationPreview")]
pub(crate) struct View {
    organization: OrgName,
    role: Role,
    /// What the role is called.
    role_name: String,
    expires_at: Time,
}

/// A link that was never made, was used, was revoked or has ended gets the same 404.
pub(crate) async fn preview(visitor: Visitor, Body(body): Body<PreviewInvitation>) -> Result<Found<View>> {
    let Preview { organisation, role, role_name, expires_at } =
        invitations::preview(visitor.house(), &body.token, visitor.origin()).await?;
    visitor.remember(Found(View { organization: organisation.name, role, role_name, expires_at })).await
}
