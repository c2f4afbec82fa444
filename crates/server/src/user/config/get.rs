//! `GET /api/v1/user/config`: shows the own configuration.

use domain::access::can;
use store::org::configs;

use super::ConfigView;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(caller: Caller<can::ConfigRead>) -> Result<Versioned<Found<ConfigView>>> {
    let rules = caller.app().rules.of(caller.scope()).await?;
    let mut tx = caller.read().await?;
    let view = ConfigView::of(configs::current(&mut tx, caller.user()).await?.as_ref(), rules.zone())?;
    Ok(Versioned(view.version, Found(view)))
}
