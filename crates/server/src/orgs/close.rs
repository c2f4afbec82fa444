//! `DELETE /api/v1/orgs/{org_id}?confirm=<its name>`: closes an organisation. It is erased 30 days later; until then it can be restored.

use domain::access::can;
use domain::status::OrgStatus;
use domain::text::OrgName;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::control::organisations;
use tenancy::orgs::GRACE;

use super::OrgView;
use crate::http::body::{IfMatch, Query};
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

/// That it is meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseOrg {
    /// The organisation's name, so that none is closed by mistake.
    confirm: OrgName,
}

pub(crate) async fn close(
    caller: Caller<can::OrgClose>,
    expected: IfMatch,
    Query(query): Query<CloseOrg>,
) -> Result<Versioned<Found<OrgView>>> {
    caller.require_person()?;
    let mut tx = caller.begin_control().await?;
    let before = organisations::get(&mut tx, caller.org()).await?;
    expected.check(before.version)?;
    if before.status == OrgStatus::Closing {
        return Err(Problem::new("conflict", "The organisation is closing already."));
    }
    if !before.status.admits_writes() {
        // The operator has stopped it since the caller was let in.
        return Err(store::Error::Stale("organisation").into());
    }
    if query.confirm != before.name {
        return Err(Problem::field("confirm", "must be the name of the organisation"));
    }
    organisations::close(&mut tx, &before, caller.ambient().now() + GRACE, caller.user()).await?;
    let organisation = organisations::get(&mut tx, caller.org()).await?;
    let event = Event::new("organisation.closing", organisation.id).before(&before).after(&organisation);
    caller.record(&mut tx, event.detail(json!({ "closes_at": organisation.closes_at }))).await?;
    let reply = caller.commit_control(tx, Versioned(organisation.version, Found(organisation.into()))).await?;
    caller.app().rules.forget(caller.scope());
    Ok(reply)
}
