//! `POST /api/v1/orgs/{org_id}/restore`: undoes the closing of an organisation, as long as its grace period lasts.

use domain::access::can;
use domain::status::OrgStatus;
use store::audit::Event;
use store::control::organisations;

use super::OrgView;
use crate::http::body::IfMatch;
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

pub(crate) async fn restore(caller: Caller<can::OrgClose>, expected: IfMatch) -> Result<Versioned<Found<OrgView>>> {
    let mut tx = caller.begin_control().await?;
    let before = organisations::get(&mut tx, caller.org()).await?;
    expected.check(before.version)?;
    if before.status != OrgStatus::Closing {
        return Err(Problem::new("conflict", "The organisation is not closing."));
    }
    if before.closes_at.is_some_and(|at| at <= caller.ambient().now()) {
        return Err(Problem::new("conflict", "The time in which the closing could be undone is over."));
    }
    organisations::reopen(&mut tx, &before).await?;
    let organisation = organisations::get(&mut tx, caller.org()).await?;
    let event = Event::new("organisation.restored", organisation.id).before(&before).after(&organisation);
    caller.record(&mut tx, event).await?;
    let reply = caller.commit_control(tx, Versioned(organisation.version, Found(organisation.into()))).await?;
    caller.app().rules.forget(caller.scope());
    Ok(reply)
}
