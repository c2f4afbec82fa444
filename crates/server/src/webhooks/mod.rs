//! Webhooks of an organisation: addresses that are told of events, with signed messages as Standard Webhooks has them.
//!
//! What is to be told is written beside its cause ([`store::org::webhook_messages`]) and sent in the background ([`telling`]). A secret is
//! shown when it is made, sealed under the organisation's key, and never shown again.

mod create;
mod delete;
mod deliveries;
mod get;
mod list;
mod rotate;
pub(crate) mod telling;
mod test;
mod update;

use connectors::webhook::Secret;
use domain::access::Requires;
use domain::events::EventType;
use domain::text::Description;
use domain::{MessageId, Time, UserId, WebhookId};
use egress::Endpoint;
use schemars::JsonSchema;
use serde::Serialize;
use store::Sealed;
use store::org::webhook_messages::Message;
use store::org::webhooks::{Because, SEALED, Webhook};

use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/webhooks", "Lists webhooks, without their secrets.", list::list)
        .post("/api/v1/webhooks", "Makes a webhook; shows its secret this once.", create::create)
        .get("/api/v1/webhooks/{id}", "Shows a webhook, without its secret.", get::get)
        .patch("/api/v1/webhooks/{id}", "Changes a webhook, or switches it off and on.", update::update)
        .delete("/api/v1/webhooks/{id}", "Takes a webhook away; it is told nothing any more.", delete::delete)
        .post(
            "/api/v1/webhooks/{id}/rotate-secret",
            "Puts a new secret in the place of one. Both sign until the grace period ends.",
            rotate::rotate,
        )
        .post("/api/v1/webhooks/{id}/test", "Sends a message that only tries the webhook.", test::test)
        .get(
            "/api/v1/webhooks/{id}/deliveries",
            "Lists what a webhook was told, and how that went; kept for 30 days at least.",
            deliveries::list,
        )
}

/// The longest address, in bytes.
const LONGEST_URL: usize = 2000;

/// A webhook.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub(crate) struct WebhookView {
    id: WebhookId,
    url: String,
    /// What it is for.
    description: Description,
    /// What it is told of.
    events: Vec<EventType>,
    /// Whether it is told anything.
    enabled: bool,
    /// Since when it is told nothing.
    disabled_at: Option<Time>,
    /// Why it is told nothing.
    disabled_because: Option<Because>,
    /// Until when the secret before the present one signs, too.
    former_secret_until: Option<Time>,
    /// Who made it.
    made_by: UserId,
    created_at: Time,
    updated_at: Time,
}

impl WebhookView {
    fn of(webhook: Webhook, now: Time) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url,
            description: webhook.description,
            // An event that this version no longer knows does not happen.
            events: webhook.events.0.iter().filter_map(|name| name.parse().ok()).collect(),
            enabled: webhook.disabled_at.is_none(),
            disabled_at: webhook.disabled_at,
            disabled_because: webhook.disabled_because,
            former_secret_until: webhook.former_until.filter(|until| now < *until),
            made_by: webhook.made_by,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

/// A webhook with a new secret, which is shown this once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewWebhook {
    /// Checks the signatures of its messages (Standard Webhooks).
    secret: String,
    #[serde(flatten)]
    about: WebhookView,
}

/// A message to a webhook, and how sending it went.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WebhookDelivery")]
pub(crate) struct DeliveryView {
    /// The receiver sees it as `webhook-id`, the same at each try.
    id: MessageId,
    webhook_id: WebhookId,
    /// What happened; `webhook.test` when it only tries the webhook.
    event: String,
    status: DeliveryStatus,
    /// How often it was tried.
    tries: i64,
    created_at: Time,
    last_tried_at: Option<Time>,
    /// When it is tried next, if it waits. It waits longer while the webhook is switched off.
    next_try_at: Option<Time>,
    /// What the receiver last answered, as an HTTP status.
    last_status: Option<i64>,
    /// Why the last try was in vain.
    last_error: Option<String>,
}

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DeliveryStatus {
    /// It is tried, or tried again.
    Pending,
    /// The receiver took it.
    Delivered,
    /// It was given up.
    Failed,
}

impl From<Message> for DeliveryView {
    fn from(message: Message) -> Self {
        let status = match (message.delivered_at, message.failed_at) {
            (Some(_), _) => DeliveryStatus::Delivered,
            (None, Some(_)) => DeliveryStatus::Failed,
            (None, None) => DeliveryStatus::Pending,
        };
        Self {
            id: message.id,
            webhook_id: message.webhook_id,
            event: message.event,
            status,
            tries: message.tries,
            created_at: message.created_at,
            last_tried_at: message.tried_at,
            next_try_at: (status == DeliveryStatus::Pending).then_some(message.due_at),
            last_status: message.status,
            last_error: message.error,
        }
    }
}

/// Refuses an address that could never be told: one that is none, one that tenants may not name.
fn check_url<P: Requires>(caller: &Caller<P>, url: &str) -> Result<()> {
    let wrong = |rule: String| Problem::field("url", rule);
    if url.len() > LONGEST_URL {
        return Err(wrong(format!("must be at most {LONGEST_URL} bytes long")));
    }
    let rule = "must be an http or https URL with a host, without a user name or fragment";
    let endpoint = Endpoint::with_query(url).map_err(|_| wrong(rule.to_owned()))?;
    if let Err(error) = caller.models().outside().policy().precheck(&endpoint) {
        let rule = "must be an https address on the internet; the operator can allow others (ROWHOUSE_EGRESS_ALLOW)";
        return Err(wrong(rule.to_owned()).because(error.to_string()));
    }
    Ok(())
}

/// The names of events, each once.
fn check_events(events: &[EventType]) -> Result<Vec<String>> {
    let events: std::collections::BTreeSet<EventType> = events.iter().copied().collect();
    if events.is_empty() {
        return Err(Problem::field("events", "must name at least one event"));
    }
    Ok(events.into_iter().map(|event| event.to_string()).collect())
}

async fn seal<P: Requires>(caller: &Caller<P>, id: WebhookId, secret: &Secret) -> Result<Sealed> {
    Ok(caller.store().open(caller.scope()).seal(SEALED, id, secret.bytes()).await?)
}
