//! `POST /api/v1/operator/orgs/{organisation}/overrides`: makes an exception from an organisation's plan. The one made last wins.

use domain::plan::{Exception, Override};
use domain::text::Reason;
use domain::{OrgId, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Turn;
use store::audit::Event;
use store::control::organisations;
use store::control::overrides::{self, OverrideRow};

use super::{OverrideView, told};
use crate::http::body::{Body, Path};
use crate::http::caller::Operator;
use crate::http::error::{Problem, Result};
use crate::http::reply::Created;

/// An exception to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOverride {
    exception: Exception,
    /// When it ends; until it is taken back when left out.
    #[serde(default)]
    until: Option<Time>,
    /// Why; the organisation's log shows it.
    reason: Reason,
}

pub(crate) async fn create(
    operator: Operator,
    Path(id): Path<OrgId>,
    Body(body): Body<CreateOverride>,
) -> Result<Created<OverrideView>> {
    let person = operator.person();
    let ambient = person.store().ambient();
    let now = ambient.now();
    if body.until.is_some_and(|until| until <= now) {
        return Err(Problem::field("until", "must lie in the future"));
    }
    let exception = Override { exception: body.exception, until: body.until, created_at: now };
    let row = OverrideRow::new(ambient.id(), id, &exception, body.reason.to_string());
    let mut tx = person.store().begin_control(Turn::Org(id)).await?;
    organisations::get(&mut tx, id).await?;
    overrides::insert(&mut tx, &row).await?;
    let event = Event::new("override.created", row.id).after(&row).detail(told(&row));
    tenancy::operator::record(&mut tx, person.user(), person.origin(), id, event).await?;
    let reply = person.commit(tx, Created(row.into())).await?;
    person.app().rules.forget_of(id);
    Ok(reply)
}
