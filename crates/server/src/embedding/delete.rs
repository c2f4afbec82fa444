//! `DELETE /api/v1/knowledge/embedding`: takes the organisation's choice back. Documents are embedded by the installation's model again.

use domain::access::can;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::embedding;

use super::{begun, queue};
use crate::http::body::IfMatch;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(caller: Caller<can::ProvidersWrite>, expected: IfMatch) -> Result<Done> {
    caller.require_factor()?;
    let job = queue(&caller).await?;
    let mut tx = caller.begin().await?;
    let (before, mut row) = begun(&caller, &mut tx, job).await?;
    expected.check(before.as_ref().map_or(0, |before| before.version))?;
    let Some(before) = before.filter(|before| before.choice.is_some()) else {
        // Nothing was chosen.
        return caller.commit(tx, Done).await;
    };
    let usual = caller.models().usual_embedding();
    row.choice = None;
    row.aim(usual);
    embedding::choose(&mut tx, &row).await?;
    let event = Event::new("embedding.chosen", caller.org()).before(&before).after(&row);
    tx.record(event.detail(json!({ "model": usual, "by": "the installation" }))).await?;
    let reply = caller.commit(tx, Done).await?;
    caller.store().wake_workers();
    Ok(reply)
}
