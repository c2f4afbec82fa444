//! `PATCH /api/v1/orgs/{org_id}`: changes an organisation's name or time zone.

use domain::access::can;
use domain::text::{OrgName, slug};
use domain::time_zone::TimeZoneName;
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::control::organisations;

use super::OrgView;
use crate::http::body::{Body, IfMatch};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateOrg {
    #[serde(default)]
    name: Option<OrgName>,
    #[serde(default)]
    time_zone: Option<TimeZoneName>,
}

pub(crate) async fn update(
    caller: Caller<can::OrgUpdate>,
    expected: IfMatch,
    Body(body): Body<UpdateOrg>,
) -> Result<Versioned<Found<OrgView>>> {
    let mut tx = caller.begin_control().await?;
    let mut organisation = organisations::get(&mut tx, caller.org()).await?;
    expected.check(organisation.version)?;
    let before = organisation.clone();
    if let Some(name) = body.name {
        organisation.slug = slug(name.as_str());
        organisation.name = name;
    }
    if let Some(zone) = body.time_zone {
        organisation.time_zone = zone.to_string();
    }
    organisations::update(&mut tx, &organisation).await?;
    let organisation = organisations::get(&mut tx, caller.org()).await?;
    let event = Event::new("organisation.updated", organisation.id).before(&before).after(&organisation);
    caller.record(&mut tx, event).await?;
    let shifted = organisation.time_zone != before.time_zone;
    let reply = caller.commit_control(tx, Versioned(organisation.version, Found(organisation.into()))).await?;
    if shifted {
        caller.recount().await;
    }
    Ok(reply)
}
