//! `GET /api/v1/operator/orgs/{organisation}`: shows an organisation.

use domain::OrgId;
use store::control::{frozen, organisations};

use super::{Look, OperatedOrg, Outlines};
use crate::http::body::Path;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(operator: Operator, Path(id): Path<OrgId>) -> Result<Versioned<Found<OperatedOrg>>> {
    let store = operator.person().store();
    let mut tx = store.read_control().await?;
    let organisation = organisations::get(&mut tx, id).await?;
    let frozen = frozen::find(&mut tx, id).await?;
    let outlines = Outlines::read(store, &mut tx, id, id).await?;
    drop(tx);
    let version = organisation.version;
    Ok(Versioned(version, Found(outlines.of(organisation, frozen, Look::Full).await)))
}
