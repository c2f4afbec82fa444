//! `PATCH /api/v1/roles/{id}`: changes a custom role, for all who hold it and at once.

use domain::access::{PermissionSet, can};
use domain::role::Role;
use domain::text::{Description, RoleName};
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::roles::{self, Draft};

use super::RoleView;
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateRole {
    #[serde(default)]
    name: Option<RoleName>,
    #[serde(default)]
    description: Option<Description>,
    /// At most what the caller holds, in the private projects where the role is held, too.
    #[serde(default)]
    permissions: Option<PermissionSet>,
}

pub(crate) async fn update(
    caller: Caller<can::RolesWrite>,
    Path(id): Path<Role>,
    expected: IfMatch,
    Body(body): Body<UpdateRole>,
) -> Result<Versioned<Found<RoleView>>> {
    let Role::Custom(id) = id else { return Err(super::fixed()) };
    let draft = Draft { name: body.name, description: body.description, permissions: body.permissions };
    let outcome = roles::update(caller.house(), caller.scope(), id, expected.version(), draft, caller.fresh()).await;
    let (tx, role) = caller.told(outcome, id).await?;
    caller.commit(tx, Versioned(role.version, Found(role.into()))).await
}
