//! `POST /api/v1/webhooks/{id}/test`: sends a message that only tries the webhook, once, by the way of all others. How it went stands in
//! the list of deliveries.

use domain::WebhookId;
use domain::access::can;
use store::audit::Event;
use store::org::{webhook_messages, webhooks};

use super::DeliveryView;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::Accepted;

pub(crate) async fn test(
    caller: Caller<can::WebhooksWrite>,
    Path(id): Path<WebhookId>,
) -> Result<Accepted<DeliveryView>> {
    if webhooks::get(&mut caller.read().await?, id).await?.disabled_at.is_some() {
        return Err(Problem::new("conflict", "The webhook is switched off; switch it on first."));
    }
    if !caller.models().may_try(caller.scope()) {
        return Err(Problem::new("rate_limited", "Other servers were tried very often; wait a minute.").retry_after(60));
    }
    let mut tx = caller.begin().await?;
    webhooks::get(&mut tx, id).await?;
    let message = webhook_messages::test(&mut tx, id).await?;
    tx.record(Event::new("webhook.tested", id)).await?;
    let view = webhook_messages::get(&mut tx, message).await?.into();
    caller.commit(tx, Accepted(view)).await
}
