//! `PATCH /api/v1/operator/orgs/{organisation}`: changes an organisation's status or plan, at once.

use domain::OrgId;
use domain::plan::PlanName;
use domain::status::OrgStatus;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::Turn;
use store::audit::Event;
use store::control::{frozen, organisations};

use super::{Look, OperatedOrg, Outlines};
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Operator;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateOrg {
    #[serde(default)]
    status: Option<Status>,
    /// One of the plans on offer.
    #[serde(default)]
    plan: Option<PlanName>,
}

/// A state that the operator decides on. An organisation that is closing stops to close.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OperatorStatus")]
pub(crate) enum Status {
    /// In good standing.
    Active,
    /// A payment is late: nothing that costs money runs.
    PastDue,
    /// Stopped: members are out, owners may read and export.
    Suspended,
}

impl From<Status> for OrgStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::PastDue => Self::PastDue,
            Status::Suspended => Self::Suspended,
        }
    }
}

pub(crate) async fn update(
    operator: Operator,
    Path(id): Path<OrgId>,
    expected: IfMatch,
    Body(body): Body<UpdateOrg>,
) -> Result<Versioned<Found<OperatedOrg>>> {
    let person = operator.person();
    let mut tx = person.store().begin_control(Turn::Org(id)).await?;
    let mut organisation = organisations::get(&mut tx, id).await?;
    expected.check(organisation.version)?;
    if organisation.status == OrgStatus::Creating {
        return Err(Problem::new("conflict", "The organisation is still being made; try again shortly."));
    }
    if organisation.status == OrgStatus::Erasing {
        return Err(Problem::new("conflict", "The organisation is being erased; that cannot be undone."));
    }
    let before = organisation.clone();
    if let Some(status) = body.status {
        organisation.status = status.into();
        organisation.closes_at = None;
    }
    if let Some(plan) = body.plan {
        if person.house().rules.plans.get(&plan).is_none() {
            return Err(Problem::field("plan", "must be one of the plans at GET /api/v1/operator/plans"));
        }
        organisation.plan = plan;
    }
    organisations::update(&mut tx, &organisation).await?;
    let after = organisations::get(&mut tx, id).await?;
    let detail = json!({
        "status": { "from": before.status, "to": after.status },
        "plan": { "from": before.plan, "to": after.plan },
    });
    let event = Event::new("organisation.administered", id).before(&before).after(&after).detail(detail);
    tenancy::operator::record(&mut tx, person.user(), person.origin(), id, event).await?;
    let frozen = frozen::find(&mut tx, id).await?;
    let outlines = Outlines::read(person.store(), &mut tx, id, id).await?;
    let version = after.version;
    let shown = outlines.of(after, frozen, Look::Brief).await;
    let reply = person.commit(tx, Versioned(version, Found(shown))).await?;
    person.app().rules.forget_of(id);
    Ok(reply)
}
