//! `GET /api/v1/orgs/{org_id}`: shows an organisation.

use domain::access::can;
use store::control::organisations;

use super::OrgView;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(caller: Caller<can::OrgRead>) -> Result<Versioned<Found<OrgView>>> {
    let mut tx = caller.store().read_control().await?;
    let organisation = organisations::get(&mut tx, caller.org()).await?;
    Ok(Versioned(organisation.version, Found(organisation.into())))
}
