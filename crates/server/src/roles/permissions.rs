//! `GET /api/v1/permissions`: all permissions, what each allows, and where it can be held.

use domain::access::{Level, Permission};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::caller::Member;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// A permission.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PermissionInFull")]
pub(crate) struct View {
    name: Permission,
    /// What it allows, as words that complete "may ...".
    description: &'static str,
    /// Where it can be held.
    levels: &'static [Level],
}

pub(crate) async fn permissions(_: Member) -> Result<Found<Page<View>>> {
    let view = |p: &Permission| View { name: *p, description: p.description(), levels: p.levels() };
    Ok(Found(Page { data: Permission::ALL.iter().map(view).collect(), next_cursor: None }))
}
