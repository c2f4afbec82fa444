//! `GET /api/v1/operator/orgs/{organisation}/overrides`: lists the exceptions from an organisation's plan, ended ones too.

use domain::OrgId;
use store::control::{organisations, overrides};

use super::OverrideView;
use crate::http::body::Path;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(operator: Operator, Path(id): Path<OrgId>) -> Result<Found<Page<OverrideView>>> {
    let mut tx = operator.person().store().read_control().await?;
    organisations::get(&mut tx, id).await?;
    let rows = overrides::list(&mut tx, id).await?;
    Ok(Found(Page { data: rows.into_iter().map(OverrideView::from).collect(), next_cursor: None }))
}
