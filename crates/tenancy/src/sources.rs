//! Telling whoever set up a source of documents that it is asked in vain: once, whoever tells and however often.

use domain::id::derived;
use domain::{MailId, OrgId, SourceId, Time, UserId};
use store::Turn;
use store::control::{mails, memberships, organisations, people};
use store::keys::sha256;

use crate::{House, Result, letters};

/// A source whose rounds fail.
#[derive(Debug)]
pub struct Failing<'a> {
    /// Which.
    pub source: SourceId,
    /// What people call it.
    pub name: &'a str,
    /// When the round that failed last was due: it is told once for each.
    pub due: Time,
    /// How many failed on end.
    pub failures: i64,
    /// What went wrong last.
    pub why: &'a str,
}

/// Queues a mail to whoever set it up, as long as they belong to the organisation; says whether one was queued now, and not before.
/// # Errors
/// As the database; nothing is queued then.
pub async fn tell(house: &House, org: OrgId, maker: UserId, failing: &Failing<'_>) -> Result<bool> {
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    let organisation = organisations::get(&mut tx, org).await?;
    if memberships::find(&mut tx, org, maker).await?.is_none() {
        return Ok(false);
    }
    let Some(person) = people::find(&mut tx, maker).await? else { return Ok(false) };
    let about = format!("source\n{org}\n{maker}\n{}", failing.source);
    let id: MailId = derived(failing.due, &sha256(about));
    let mail = letters::source_fails(house, &person, org, organisation.name.as_str(), failing);
    let queued = mails::queue_once(&mut tx, id, mail).await?;
    tx.commit().await?;
    Ok(queued)
}
