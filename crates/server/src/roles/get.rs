//! `GET /api/v1/roles/{id}`: shows a role, a built-in one by its name.

use domain::access::can;
use domain::role::Role;
use store::org::roles;

use super::RoleView;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(caller: Caller<can::RolesRead>, Path(id): Path<Role>) -> Result<Versioned<Found<RoleView>>> {
    let id = match id {
        Role::Builtin(builtin) => return Ok(Versioned(1, Found(builtin.into()))),
        Role::Custom(id) => id,
    };
    let mut tx = caller.read().await?;
    let role = roles::get(&mut tx, id).await?;
    Ok(Versioned(role.version, Found(role.into())))
}
