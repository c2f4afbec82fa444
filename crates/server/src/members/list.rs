//! `GET /api/v1/members`: lists the members.

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::plan::Feature;
use schemars::JsonSchema;
use serde::Deserialize;
use store::control::memberships;
use tenancy::entitlements;

use super::MemberView;
use crate::http::body::Query;
use crate::http::caller::Caller;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListMembers {
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(
    caller: Caller<can::MembersRead>,
    Query(query): Query<ListMembers>,
) -> Result<Found<Page<MemberView>>> {
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("members", &());
    let after = bound.read(query.cursor.as_deref())?;
    let mut tx = caller.store().read_control().await?;
    let rows = memberships::list(&mut tx, caller.org(), after, limit + 1).await?;
    let entitlements = entitlements::of(caller.house(), &mut tx, caller.org()).await?;
    let may_see = caller.scope().grants().allow(Permission::MembersActivity, Object::Organisation);
    let page = bound.page(rows, limit, |member| member.user_id);
    let view = if may_see && entitlements.has(Feature::MemberActivity) {
        MemberView::with_activity
    } else {
        MemberView::without_activity
    };
    Ok(Found(page.map(view)))
}
