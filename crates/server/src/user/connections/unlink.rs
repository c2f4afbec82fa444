//! `DELETE /api/v1/user/connections/notion`: takes the connection to Notion away; the token is gone with it.

use domain::access::can;
use domain::connection::ConnectionKind;
use serde_json::json;
use store::audit::Event;
use store::org::connections;

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::Done;

pub(crate) async fn unlink(caller: Caller<can::ConfigWrite>) -> Result<Done> {
    let kind = ConnectionKind::Notion;
    let mut tx = caller.begin().await?;
    if !connections::remove(&mut tx, caller.user(), kind).await? {
        return Err(Problem::not_found());
    }
    tx.record(Event::new("connection.unlinked", caller.user()).detail(json!({ "kind": kind }))).await?;
    caller.commit(tx, Done).await
}
