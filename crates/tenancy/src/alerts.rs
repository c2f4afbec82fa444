//! Telling those who run an organisation that a threshold of a limit was passed: each once, whoever tells and however often.

use std::time::Duration;

use domain::id::derived;
use domain::{LimitId, MailId, OrgId, Time, UserId};
use store::Turn;
use store::control::{mails, memberships, organisations};
use store::keys::sha256;

use crate::{House, Result, letters};

/// Those who are told at most, and how many are read at a time.
const MOST: usize = 200;
const PAGE: i64 = 50;
/// Mails that speak of an organisation in an hour: when there are more, no further ones about its limits come on top. Whoever makes limits
/// as fast as they can fills nobody's mail box, nor the outbox of all.
const HOURLY: i64 = 1000;

/// A threshold that was passed.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Whose limit.
    pub limit_id: LimitId,
    /// What it counts, as the API names it.
    pub counted: String,
    /// What it is, in words that begin a sentence: `The monthly budget of the team Sales`.
    pub what: String,
    /// The threshold, in percent.
    pub percent: i64,
    /// What is used, with its unit.
    pub used: String,
    /// The limit, with its unit.
    pub limit: String,
    /// Whether it stops what does not fit.
    pub hard: bool,
    /// When its period began.
    pub starts_at: Time,
    /// When it begins anew.
    pub resets_at: Option<Time>,
    /// When it is used up if things go on as they did.
    pub exhausted_at: Option<Time>,
    /// When the threshold was passed.
    pub at: Time,
}

/// Queues a mail to each who runs the organisation; says how many were queued now, and not before. None when it had too many of late.
/// # Errors
/// As the database; nothing is queued then.
pub async fn tell(house: &House, org: OrgId, passed: &Passed) -> Result<usize> {
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    let organisation = organisations::get(&mut tx, org).await?;
    let hour_ago = house.store.ambient().now() - Duration::from_hours(1);
    if mails::queued_since(&mut tx, org, hour_ago, HOURLY).await? >= HOURLY {
        tracing::warn!(%org, "an organisation has so many mails that a threshold of a limit is told to nobody");
        return Ok(0);
    }
    let (mut queued, mut after) = (0, None);
    loop {
        let page = memberships::leaders(&mut tx, org, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.user_id);
        for leader in &page {
            let mail = letters::threshold(house, leader, org, organisation.name.as_str(), passed);
            if mails::queue_once(&mut tx, mail_id(org, leader.user_id, passed), mail).await? {
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

/// The id of the mail about a threshold to somebody: the same whenever it is asked for. Its first part is the time, as in all ids.
fn mail_id(org: OrgId, to: UserId, passed: &Passed) -> MailId {
    let Passed { limit_id, counted, starts_at, percent, at, .. } = passed;
    let hash = sha256(format!("threshold\n{org}\n{to}\n{limit_id}\n{counted}\n{}\n{percent}", starts_at.micros()));
    derived(*at, &hash)
}
