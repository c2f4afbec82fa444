//! `POST /api/v1/webhooks`: makes a webhook. Its secret is shown in the answer, and never again.

use connectors::webhook::Secret;
use domain::WebhookId;
use domain::access::can;
use domain::events::EventType;
use domain::text::Description;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::Json;
use store::audit::Event;
use store::org::webhooks::{self, MOST, Webhook};

use super::{NewWebhook, WebhookView, check_events, check_url, seal};
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Created, Versioned};

/// A webhook to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWebhook {
    /// Where it is told, by POST; it answers with a status of 200 to 299 within ten seconds.
    url: String,
    /// What it is told of.
    events: Vec<EventType>,
    /// What it is for.
    #[serde(default)]
    description: Description,
}

pub(crate) async fn create(
    caller: Caller<can::WebhooksWrite>,
    Body(body): Body<CreateWebhook>,
) -> Result<Versioned<Created<NewWebhook>>> {
    caller.require_factor()?;
    check_url(&caller, &body.url)?;
    let events = check_events(&body.events)?;
    let (id, now) = (caller.ambient().id::<WebhookId>(), caller.ambient().now());
    let secret = Secret::random(caller.ambient());
    let sealed = seal(&caller, id, &secret).await?;
    let webhook = Webhook {
        id,
        url: body.url,
        description: body.description,
        events: Json(events),
        sealed: sealed.bytes,
        former_sealed: None,
        former_until: None,
        key_version: sealed.key_version,
        disabled_at: None,
        disabled_because: None,
        made_by: caller.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut tx = caller.begin().await?;
    if webhooks::count(&mut tx).await? >= MOST {
        return Err(Problem::new(
            "conflict",
            format!("There are {MOST} webhooks, the most there may be; delete some."),
        ));
    }
    webhooks::insert(&mut tx, &webhook).await?;
    let event = Event::new("webhook.created", id).after(&webhook).detail(json!({ "events": webhook.events.0 }));
    tx.record(event).await?;
    let view = NewWebhook { secret: secret.expose(), about: WebhookView::of(webhook, now) };
    caller.commit(tx, Versioned(1, Created(view))).await
}
