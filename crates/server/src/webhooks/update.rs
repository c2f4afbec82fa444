//! `PATCH /api/v1/webhooks/{id}`: changes a webhook, switches it off, or on again. What waits goes to the address it has when it is sent.

use domain::WebhookId;
use domain::access::can;
use domain::events::EventType;
use domain::text::Description;
use schemars::JsonSchema;
use serde::Deserialize;
use store::Json;
use store::audit::Event;
use store::org::webhooks::{self, Because};

use super::{WebhookView, check_events, check_url};
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateWebhook {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    events: Option<Vec<EventType>>,
    #[serde(default)]
    description: Option<Description>,
    /// Whether it is told anything. What waited when it was switched off is sent when it is on again.
    #[serde(default)]
    enabled: Option<bool>,
}

pub(crate) async fn update(
    caller: Caller<can::WebhooksWrite>,
    Path(id): Path<WebhookId>,
    expected: IfMatch,
    Body(body): Body<UpdateWebhook>,
) -> Result<Versioned<Found<WebhookView>>> {
    if let Some(url) = &body.url {
        caller.require_factor()?;
        check_url(&caller, url)?;
    }
    let events = body.events.as_deref().map(check_events).transpose()?;
    let mut tx = caller.begin().await?;
    let before = webhooks::get(&mut tx, id).await?;
    expected.check(before.version)?;
    let mut webhook = before.clone();
    if let Some(url) = body.url {
        webhook.url = url;
    }
    if let Some(events) = events {
        webhook.events = Json(events);
    }
    if let Some(description) = body.description {
        webhook.description = description;
    }
    if let Some(enabled) = body.enabled {
        webhook.disable((!enabled).then_some(Because::Asked), tx.now());
    }
    webhooks::update(&mut tx, &webhook).await?;
    if before.disabled_at.is_some() && webhook.disabled_at.is_none() {
        tx.will_call();
    }
    let webhook = webhooks::get(&mut tx, id).await?;
    tx.record(Event::new("webhook.updated", id).before(&before).after(&webhook)).await?;
    let view = WebhookView::of(webhook.clone(), caller.ambient().now());
    caller.commit(tx, Versioned(webhook.version, Found(view))).await
}
