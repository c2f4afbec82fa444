//! `DELETE /api/v1/webhooks/{id}`: takes a webhook away, with what it was told and was to be told.

use domain::WebhookId;
use domain::access::can;
use store::audit::Event;
use store::org::webhooks;

use crate::http::body::{IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(
    caller: Caller<can::WebhooksWrite>,
    Path(id): Path<WebhookId>,
    expected: IfMatch,
) -> Result<Done> {
    let mut tx = caller.begin().await?;
    let webhook = webhooks::get(&mut tx, id).await?;
    expected.check(webhook.version)?;
    webhooks::delete(&mut tx, id).await?;
    tx.record(Event::new("webhook.deleted", id).before(&webhook)).await?;
    caller.commit(tx, Done).await
}
