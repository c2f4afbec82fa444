//! Telling those who run an organisation that a webhook was switched off: once, whoever tells and however often.

use domain::id::derived;
use domain::{MailId, OrgId, Time, WebhookId};
use store::Turn;
use store::control::{mails, memberships, organisations};
use store::keys::sha256;
use store::org::webhooks::Because;

use crate::{House, Result, letters};

/// Those who are told at most, and how many are read at a time.
const MOST: usize = 200;
const PAGE: i64 = 50;

/// A webhook that is about to be switched off.
#[derive(Debug, Clone)]
pub struct Disabled {
    /// Which.
    pub webhook: WebhookId,
    /// Its version until now: it is told once for each.
    pub version: i64,
    /// When it got that version.
    pub updated_at: Time,
    /// The host of its address; the rest may be a secret.
    pub host: String,
    /// Why.
    pub because: Because,
}

/// Queues a mail to each who runs the organisation; says how many were queued now, and not before.
/// # Errors
/// As the database; nothing is queued then.
pub async fn tell(house: &House, org: OrgId, disabled: &Disabled) -> Result<usize> {
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    let organisation = organisations::get(&mut tx, org).await?;
    let (mut queued, mut after) = (0, None);
    loop {
        let page = memberships::leaders(&mut tx, org, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.user_id);
        for leader in &page {
            let about = format!("webhook\n{org}\n{}\n{}\n{}", leader.user_id, disabled.webhook, disabled.version);
            let id: MailId = derived(disabled.updated_at, &sha256(about));
            let mail = letters::webhook_disabled(house, leader, org, organisation.name.as_str(), disabled);
            if mails::queue_once(&mut tx, id, mail).await? {
                queued += 1;
            }
        }
        if queued >= MOST {
            break;
        }
    }
    tx.commit().await?;
    Ok(queued)
}
