//! `POST /api/v1/roles`: makes a custom role, on plans that include them.

use domain::access::{PermissionSet, can};
use domain::text::{Description, RoleName};
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::roles::{self, Draft};

use super::RoleView;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Created, Versioned};

/// A role to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRole {
    name: RoleName,
    #[serde(default)]
    description: Option<Description>,
    /// At most what its maker holds.
    permissions: PermissionSet,
}

pub(crate) async fn create(
    caller: Caller<can::RolesWrite>,
    Body(body): Body<CreateRole>,
) -> Result<Versioned<Created<RoleView>>> {
    let draft = Draft { name: None, description: body.description, permissions: Some(body.permissions) };
    let outcome = roles::create(caller.house(), caller.scope(), body.name, draft).await;
    let (tx, role) = caller.told(outcome, "role").await?;
    caller.commit(tx, Versioned(role.version, Created(role.into()))).await
}
