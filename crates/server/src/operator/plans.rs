//! `GET /api/v1/operator/plans`: lists the plans on offer, as the files say.

use domain::plan::Plan;

use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn plans(operator: Operator) -> Result<Found<Page<Plan>>> {
    let plans = &operator.person().house().rules.plans;
    Ok(Found(Page { data: plans.iter().cloned().collect(), next_cursor: None }))
}
