//! `GET /api/v1/operator/mails`: lists the mails, the newest first, without their texts.

use schemars::JsonSchema;
use serde::Deserialize;
use store::control::mails;

use super::HeadingView;
use crate::http::body::Query;
use crate::http::caller::Operator;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListMails {
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(operator: Operator, Query(query): Query<ListMails>) -> Result<Found<Page<HeadingView>>> {
    let limit = cursor::limit(query.limit)?;
    let bound = operator.person().list("operator/mails");
    let before = bound.read(query.cursor.as_deref())?;
    let mut tx = operator.person().store().read_control().await?;
    let rows = mails::list(&mut tx, before, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |mail| mail.id).map(HeadingView::from)))
}
