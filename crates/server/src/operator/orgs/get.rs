//! `GET /api/v1/operator/orgs/{organisation}`: shows an organisation.

use domain::OrgId;
use store::control::{frozen, organisations};

use super::OperatedOrg;
use crate::http::body::Path;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(operator: Operator, Path(id): Path<OrgId>) -> Result<Versioned<Found<OperatedOrg>>> {
    let mut tx = operator.person().store().read_control().await?;
    let organisation = organisations::get(&mut tx, id).await?;
    let frozen = frozen::find(&mut tx, id).await?;
    Ok(Versioned(organisation.version, Found(OperatedOrg::new(organisation, frozen))))
}
