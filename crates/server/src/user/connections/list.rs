//! `GET /api/v1/user/connections`: which services are connected.

use domain::access::can;

use super::{ConnectionView, all};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(caller: Caller<can::ConfigRead>) -> Result<Found<Page<ConnectionView>>> {
    let mut tx = caller.read().await?;
    Ok(Found(Page { data: all(&mut tx, caller.user()).await?, next_cursor: None }))
}
