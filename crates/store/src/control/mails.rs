//! The outbox: mails are queued in the transaction that causes them, and sent after it.
//!
//! A body may hold a link that lets somebody in. So bodies are sealed in the database and never printed.

use std::fmt;
use std::sync::PoisonError;
use std::time::Duration;

use domain::email::Email;
use domain::{MailId, OrgId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::sql::{Pair, after_id, before_id};
use crate::{Error, OrNotFound, Result, Store};

/// A mail to be sent.
#[derive(Clone)]
pub struct NewMail {
    /// To whom.
    pub recipient: Email,
    /// The person it is to, when they have an account: it goes when they go.
    pub person: Option<UserId>,
    /// The organisation it speaks of: it goes when that goes.
    pub organisation: Option<OrgId>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
}

impl fmt::Debug for NewMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewMail({:?} to {})", self.subject, self.recipient)
    }
}

/// A mail of the outbox.
#[derive(Clone)]
pub struct Mail {
    /// The id.
    pub id: MailId,
    /// To whom.
    pub recipient: Email,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
    /// When it was queued.
    pub created_at: Time,
    /// How often sending it was tried in vain.
    pub tries: i64,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mail({}, {:?} to {})", self.id, self.subject, self.recipient)
    }
}

/// A mail as lists show it: all but the text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Heading {
    /// The id.
    pub id: MailId,
    /// To whom.
    pub recipient: Email,
    /// The subject.
    pub subject: String,
    /// When it was queued.
    pub created_at: Time,
    /// When sending it is tried next.
    pub due_at: Time,
    /// How often sending it was tried in vain.
    pub tries: i64,
    /// When it was sent.
    pub sent_at: Option<Time>,
    /// When it was given up.
    pub failed_at: Option<Time>,
    /// Why the last try was in vain.
    pub error: Option<String>,
}

/// A mail as stored.
#[derive(Deserialize)]
struct Sealed {
    id: MailId,
    org_id: Option<OrgId>,
    recipient: Email,
    subject: String,
    body: Vec<u8>,
    created_at: Time,
    tries: i64,
}

impl Sealed {
    fn open(self, store: &Store) -> Result<Mail> {
        let Self { id, recipient, subject, body, created_at, tries, .. } = self;
        let body =
            String::from_utf8(store.unseal(&place_of(id), &body)?).map_err(|_| Error::Sealed("a mail's text"))?;
        Ok(Mail { id, recipient, subject, body, created_at, tries })
    }
}

fn place_of(id: MailId) -> String {
    format!("mail {id}")
}

/// Queues a mail; it is due at once. One about a person who is not there goes nowhere, which takes as long.
/// # Errors
/// As the database.
pub async fn queue(tx: &mut ControlTx, mail: NewMail) -> Result<MailId> {
    let (id, now) = (tx.store().ambient().id::<MailId>(), tx.now());
    let body = tx.store().seal(&place_of(id), mail.body.as_bytes());
    tx.sql(
        "INSERT INTO mails (id, recipient, user_id, org_id, subject, body, created_at, due_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $7 WHERE $3 IS NULL OR EXISTS (SELECT 1 FROM people WHERE id = $3)",
    )
    .bind(id)
    .bind(&mail.recipient)
    .bind(mail.person)
    .bind(mail.organisation)
    .bind(mail.subject)
    .bind(body)
    .bind(now)
    .unaudited("part of what caused it")
    .run()
    .await?;
    Ok(id)
}

/// Queues a mail under an id that its cause gives; false when it was queued before.
/// # Errors
/// As the database.
pub async fn queue_once(tx: &mut ControlTx, id: MailId, mail: NewMail) -> Result<bool> {
    let now = tx.now();
    let body = tx.store().seal(&place_of(id), mail.body.as_bytes());
    let queued = tx
        .sql(
            "INSERT INTO mails (id, recipient, user_id, org_id, subject, body, created_at, due_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(&mail.recipient)
        .bind(mail.person)
        .bind(mail.organisation)
        .bind(mail.subject)
        .bind(body)
        .bind(now)
        .unaudited("part of what caused it")
        .run()
        .await?;
    Ok(queued == 1)
}

/// How many mails that speak of an organisation were queued since a time, counted up to `most`.
/// # Errors
/// As the database.
pub async fn queued_since(tx: &mut ControlTx, org: OrgId, since: Time, most: i64) -> Result<i64> {
    tx.sql("SELECT count(*) FROM (SELECT id FROM mails WHERE org_id = $1 AND created_at > $2 LIMIT $3) queued")
        .bind(org)
        .bind(since)
        .bind(most)
        .one()
        .await
}

/// For how long a mail is claimed: nobody else takes it meanwhile, and whoever finds it afterwards may.
pub const CLAIM: Duration = Duration::from_mins(10);

/// Whether any mail is due. Takes no lock, so it can be asked often.
/// # Errors
/// As the database.
pub async fn is_due(tx: &mut ControlTx) -> Result<bool> {
    let now = tx.now();
    let first: Option<MailId> = tx
        .sql(
            "SELECT id FROM mails WHERE sent_at IS NULL AND failed_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT 1",
        )
        .bind(now)
        .optional()
        .await?;
    Ok(first.is_some())
}

/// Claims mails that are due, at most `limit`: those that speak of no organisation first, for somebody waits for them to come in, then
/// one of each organisation by turns, whatever any of them has queued. One whose text does not open is given up, so that it does not
/// hold up the others.
/// # Errors
/// As the database.
pub async fn claim(tx: &mut ControlTx, limit: i64) -> Result<Vec<Mail>> {
    // Strangers who ask for many leave room for those of organisations.
    let mut rows = claim_personal(tx, limit - limit / 5).await?;
    claim_by_turns(tx, usize::try_from(limit).unwrap_or(0), &mut rows).await?;
    let mut mails = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id;
        match row.open(tx.store()) {
            Ok(mail) => mails.push(mail),
            Err(error) => failed(tx, id, &error.to_string()).await?,
        }
    }
    Ok(mails)
}

/// Claims mails that speak of no organisation, those that wait longest.
async fn claim_personal(tx: &mut ControlTx, limit: i64) -> Result<Vec<Sealed>> {
    let now = tx.now();
    // What another node claims just now is passed by: it is asked of the row that is locked, so that nothing is claimed twice.
    tx.sql(Pair {
        sqlite: "UPDATE mails SET due_at = $2
            WHERE id IN (SELECT id FROM mails WHERE sent_at IS NULL AND failed_at IS NULL AND org_id IS NULL AND due_at <= $1
                         ORDER BY due_at, id LIMIT $3)
            RETURNING id, org_id, recipient, subject, body, created_at, tries",
        postgres: "UPDATE mails SET due_at = $2
            WHERE id IN (SELECT id FROM mails WHERE sent_at IS NULL AND failed_at IS NULL AND org_id IS NULL AND due_at <= $1
                         ORDER BY due_at, id LIMIT $3 FOR UPDATE OF mails SKIP LOCKED)
            RETURNING id, org_id, recipient, subject, body, created_at, tries",
    })
    .bind(now)
    .bind(now + CLAIM)
    .bind(limit)
    .unaudited("bookkeeping of the outbox")
    .all()
    .await
}

/// Claims mails of organisations until there are `limit`: from each in the order of their ids the one that waits longest, beginning
/// after the one that had its turn last.
async fn claim_by_turns(tx: &mut ControlTx, limit: usize, claimed: &mut Vec<Sealed>) -> Result<()> {
    let mut last = tx.store().last_mailed();
    while claimed.len() < limit {
        match claim_next(tx, last).await? {
            Some(mail) => {
                last = mail.org_id;
                claimed.push(mail);
            }
            None if last.is_some() => last = None,
            None => break,
        }
    }
    tx.store().note_mailed(last);
    Ok(())
}

/// Claims the mail that waits longest of the first organisation after the one given that has any.
async fn claim_next(tx: &mut ControlTx, after: Option<OrgId>) -> Result<Option<Sealed>> {
    let now = tx.now();
    tx.sql(Pair {
        sqlite: "UPDATE mails SET due_at = $2
            WHERE id = (SELECT id FROM mails WHERE sent_at IS NULL AND failed_at IS NULL AND org_id > $3 AND due_at <= $1
                        ORDER BY org_id, due_at LIMIT 1)
            RETURNING id, org_id, recipient, subject, body, created_at, tries",
        // What another node claims just now is passed by: each goes round from a place of its own, and two that waited for each other's
        // would wait for good.
        postgres: "UPDATE mails SET due_at = $2
            WHERE id = (SELECT id FROM mails WHERE sent_at IS NULL AND failed_at IS NULL AND org_id > $3 AND due_at <= $1
                        ORDER BY org_id, due_at LIMIT 1 FOR UPDATE OF mails SKIP LOCKED)
            RETURNING id, org_id, recipient, subject, body, created_at, tries",
    })
    .bind(now)
    .bind(now + CLAIM)
    .bind(after_id(after))
    .unaudited("bookkeeping of the outbox")
    .optional()
    .await
}

impl Store {
    fn last_mailed(&self) -> Option<OrgId> {
        *self.0.mail_turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_mailed(&self, last: Option<OrgId>) {
        *self.0.mail_turn.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}

/// Notes that a mail was sent.
/// # Errors
/// As the database.
pub async fn sent(tx: &mut ControlTx, id: MailId) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE mails SET sent_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .unaudited("bookkeeping of the outbox")
        .run()
        .await?;
    Ok(())
}

/// Puts a mail off: it could not be sent, `tries` times by now.
/// # Errors
/// As the database.
pub async fn retry(tx: &mut ControlTx, id: MailId, tries: i64, due_at: Time, error: &str) -> Result<()> {
    tx.sql("UPDATE mails SET tries = $2, due_at = $3, error = $4 WHERE id = $1")
        .bind(id)
        .bind(tries)
        .bind(due_at)
        .bind(error)
        .unaudited("bookkeeping of the outbox")
        .run()
        .await?;
    Ok(())
}

/// Gives a mail up.
/// # Errors
/// As the database.
pub async fn failed(tx: &mut ControlTx, id: MailId, error: &str) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE mails SET failed_at = $2, error = $3 WHERE id = $1")
        .bind(id)
        .bind(now)
        .bind(error)
        .unaudited("bookkeeping of the outbox")
        .run()
        .await?;
    Ok(())
}

/// The mails of the outbox without their texts, the newest first; at most `limit` before the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut ControlTx, before: Option<MailId>, limit: i64) -> Result<Vec<Heading>> {
    tx.sql(
        "SELECT id, recipient, subject, created_at, due_at, tries, sent_at, failed_at, error FROM mails
         WHERE id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(before_id(before))
    .bind(limit)
    .all()
    .await
}

/// A mail with its text.
/// # Errors
/// [`Error::NotFound`] when there is none; [`Error::Sealed`] when its text does not open.
pub async fn get(tx: &mut ControlTx, id: MailId) -> Result<Mail> {
    let row: Option<Sealed> = tx
        .sql("SELECT id, org_id, recipient, subject, body, created_at, tries FROM mails WHERE id = $1")
        .bind(id)
        .optional()
        .await?;
    row.map(|row| row.open(tx.store())).transpose().or_not_found("mail")
}

/// Removes mails that were queued before the given time and are sent or given up; at most a thousand.
/// # Errors
/// As the database.
pub async fn sweep(tx: &mut ControlTx, before: Time) -> Result<u64> {
    tx.sql(
        "DELETE FROM mails WHERE id IN (
           SELECT id FROM mails WHERE created_at < $1 AND (sent_at IS NOT NULL OR failed_at IS NOT NULL)
           ORDER BY created_at LIMIT 1000)",
    )
    .bind(before)
    .unaudited("done long ago")
    .run()
    .await
}
