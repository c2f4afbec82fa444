//! Roles: the four that every organisation has, and custom ones.

mod create;
mod delete;
mod get;
mod list;
mod permissions;
mod update;

use domain::Time;
use domain::access::PermissionSet;
use domain::role::{Builtin, Role};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::roles::CustomRole;

use crate::http::error::Problem;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/roles", "Lists the roles, the built-in ones first.", list::list)
        .post("/api/v1/roles", "Makes a custom role, which holds at most what its maker holds.", create::create)
        .get("/api/v1/roles/{id}", "Shows a role.", get::get)
        .patch("/api/v1/roles/{id}", "Changes a custom role, for all who hold it and at once.", update::update)
        .delete("/api/v1/roles/{id}", "Deletes a custom role that nobody holds.", delete::delete)
        .get("/api/v1/permissions", "Lists all permissions and what each allows.", permissions::permissions)
}

/// A role.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RoleInFull")]
pub(crate) struct RoleView {
    /// What it is given by: `owner`, `admin`, `member`, `viewer`, or the id of a custom one.
    id: Role,
    name: String,
    description: String,
    /// Whether every organisation has it; those cannot be changed.
    builtin: bool,
    /// What it allows at the organisation. Held at a team or a project it allows the part that can be held there.
    permissions: PermissionSet,
    created_at: Option<Time>,
    updated_at: Option<Time>,
}

impl From<Builtin> for RoleView {
    fn from(builtin: Builtin) -> Self {
        Self {
            id: Role::Builtin(builtin),
            name: builtin.as_str().to_owned(),
            description: builtin.description().to_owned(),
            builtin: true,
            permissions: builtin.permissions(),
            created_at: None,
            updated_at: None,
        }
    }
}

impl From<CustomRole> for RoleView {
    fn from(role: CustomRole) -> Self {
        Self {
            id: Role::Custom(role.id),
            permissions: role.allows(),
            name: role.name.to_string(),
            description: role.description.to_string(),
            builtin: false,
            created_at: Some(role.created_at),
            updated_at: Some(role.updated_at),
        }
    }
}

/// The answer to whoever wants to change a built-in role.
fn fixed() -> Problem {
    Problem::new("conflict", "The built-in roles cannot be changed; make a custom one.")
}
