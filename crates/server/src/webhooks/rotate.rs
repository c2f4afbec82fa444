//! `POST /api/v1/webhooks/{id}/rotate-secret`: puts a new secret in the place of one. Until the grace period ends messages are signed
//! with both, so that the receiver can change over without losing any.

use std::time::Duration;

use connectors::webhook::Secret;
use domain::WebhookId;
use domain::access::can;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::org::webhooks;

use super::{NewWebhook, WebhookView, seal};
use crate::http::body::{OptionalBody, Path};
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Created, Versioned};

/// How long both secrets sign when nothing is said, in seconds.
const USUAL_GRACE: u32 = 24 * 60 * 60;
/// How long both secrets sign at the most, in seconds.
const LONGEST_GRACE: u32 = 7 * 24 * 60 * 60;

/// How to rotate.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSecret {
    /// For how many seconds the old secret signs, too: a day when left out, a week at the most; 0 when it is known to others.
    #[serde(default)]
    grace_seconds: Option<u32>,
}

pub(crate) async fn rotate(
    caller: Caller<can::WebhooksWrite>,
    Path(id): Path<WebhookId>,
    OptionalBody(body): OptionalBody<RotateSecret>,
) -> Result<Versioned<Created<NewWebhook>>> {
    caller.require_factor()?;
    let grace = body.grace_seconds.unwrap_or(USUAL_GRACE);
    if grace > LONGEST_GRACE {
        return Err(Problem::field("grace_seconds", format!("must be 0 to {LONGEST_GRACE}")));
    }
    let secret = Secret::random(caller.ambient());
    let sealed = seal(&caller, id, &secret).await?;
    let mut tx = caller.begin().await?;
    let before = webhooks::get(&mut tx, id).await?;
    let mut webhook = before.clone();
    // Two at the most: one that signs only for a while yet gives way.
    webhook.former_sealed = (grace > 0).then_some(before.sealed.clone());
    webhook.former_until = (grace > 0).then(|| tx.now() + Duration::from_secs(grace.into()));
    webhook.sealed = sealed.bytes;
    webhook.key_version = sealed.key_version;
    webhooks::update(&mut tx, &webhook).await?;
    let webhook = webhooks::get(&mut tx, id).await?;
    let event = Event::new("webhook.secret_rotated", id).before(&before).after(&webhook);
    tx.record(event.detail(json!({ "grace_seconds": grace }))).await?;
    let version = webhook.version;
    let view = NewWebhook { secret: secret.expose(), about: WebhookView::of(webhook, caller.ambient().now()) };
    caller.commit(tx, Versioned(version, Created(view))).await
}
