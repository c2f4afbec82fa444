//! `GET /api/v1/roles`: lists the roles, the built-in ones first.

use domain::access::can;
use domain::role::{Builtin, Role};
use schemars::JsonSchema;
use serde::Deserialize;
use store::org::roles;

use super::RoleView;
use crate::http::body::Query;
use crate::http::caller::Caller;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRoles {
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(
    caller: Caller<can::RolesRead>,
    Query(query): Query<ListRoles>,
) -> Result<Found<Page<RoleView>>> {
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("roles", &());
    let after: Option<Role> = bound.read(query.cursor.as_deref())?;
    let (builtin, custom) = match after {
        None => (Builtin::ALL.to_vec(), None),
        Some(Role::Builtin(last)) => (Builtin::ALL.into_iter().filter(|one| *one > last).collect(), None),
        Some(Role::Custom(last)) => (Vec::new(), Some(last)),
    };
    let mut tx = caller.read().await?;
    let custom = roles::list(&mut tx, custom, limit + 1).await?;
    let rows: Vec<RoleView> =
        builtin.into_iter().map(RoleView::from).chain(custom.into_iter().map(RoleView::from)).collect();
    Ok(Found(bound.page(rows, limit, |role| role.id)))
}
