//! `DELETE /api/v1/operator/orgs/{organisation}/overrides/{id}`: takes an exception back; the plan counts again.

use domain::{OrgId, OverrideId};
use store::Turn;
use store::audit::Event;
use store::control::overrides;

use super::told;
use crate::http::body::Path;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(operator: Operator, Path((org, id)): Path<(OrgId, OverrideId)>) -> Result<Done> {
    let person = operator.person();
    let mut tx = person.store().begin_control(Turn::Org(org)).await?;
    let row = overrides::get(&mut tx, org, id).await?;
    overrides::delete(&mut tx, org, id).await?;
    let event = Event::new("override.deleted", id).before(&row).detail(told(&row));
    tenancy::operator::record(&mut tx, person.user(), person.origin(), org, event).await?;
    let reply = person.commit(tx, Done).await?;
    person.app().rules.forget_of(org);
    Ok(reply)
}
