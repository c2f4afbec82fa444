//! Single-use links that go out by mail. Of a link's secret only a hash is stored.

use domain::email::Email;
use domain::{TicketId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::Result;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To show that a mail address is one's own.
    Verify,
    /// To set a new password.
    Reset,
    /// To make another mail address one's own; goes to the new address.
    ChangeEmail,
    /// To take that back; goes to the old address.
    UndoEmail,
    /// To keep an account that is about to be deleted.
    KeepAccount,
}

impl Purpose {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Reset => "reset",
            Self::ChangeEmail => "change_email",
            Self::UndoEmail => "undo_email",
            Self::KeepAccount => "keep_account",
        }
    }
}

/// A new link.
#[derive(Debug, Clone)]
pub struct NewTicket {
    /// The id.
    pub id: TicketId,
    /// What it is for.
    pub purpose: Purpose,
    /// Whom it is about.
    pub user: UserId,
    /// The mail address it is about.
    pub email: Email,
    /// The hash of its secret.
    pub hash: [u8; 32],
    /// When it ends.
    pub expires_at: Time,
}

/// A link as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ticket {
    /// The id.
    pub id: TicketId,
    /// What it is for.
    pub purpose: Purpose,
    /// Whom it is about.
    pub user_id: UserId,
    /// The mail address it is about.
    pub email: Email,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// Adds a link; none when there is no such person, which takes as long.
/// # Errors
/// As the database.
pub async fn insert(tx: &mut ControlTx, ticket: &NewTicket) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "INSERT INTO tickets (id, purpose, user_id, email, hash, created_at, expires_at)
         SELECT $1, $2, $3, $4, $5, $6, $7 FROM people WHERE id = $3",
    )
    .bind(ticket.id)
    .bind(ticket.purpose.as_str())
    .bind(ticket.user)
    .bind(&ticket.email)
    .bind(ticket.hash)
    .bind(now)
    .bind(ticket.expires_at)
    .run()
    .await?;
    Ok(())
}

/// The link for this purpose that is unused and has not ended, if there is one; leaves it as it is.
/// # Errors
/// As the database.
pub async fn find(tx: &mut ControlTx, purpose: Purpose, hash: &[u8; 32]) -> Result<Option<Ticket>> {
    let now = tx.now();
    tx.sql(
        "SELECT id, purpose, user_id, email, created_at, expires_at FROM tickets
         WHERE purpose = $1 AND hash = $2 AND used_at IS NULL AND expires_at > $3",
    )
    .bind(purpose.as_str())
    .bind(hash)
    .bind(now)
    .optional()
    .await
}

/// Uses a link up and gives it, if it is for this purpose, unused and has not ended. Of two who try at once, one gets it.
/// # Errors
/// As the database.
pub async fn take(tx: &mut ControlTx, purpose: Purpose, hash: &[u8; 32]) -> Result<Option<Ticket>> {
    let now = tx.now();
    tx.sql(
        "UPDATE tickets SET used_at = $3 WHERE purpose = $1 AND hash = $2 AND used_at IS NULL AND expires_at > $3
         RETURNING id, purpose, user_id, email, created_at, expires_at",
    )
    .bind(purpose.as_str())
    .bind(hash)
    .bind(now)
    .optional()
    .await
}

/// Removes a person's unused links of a purpose, made at or after a time if one is given; says how many there were.
/// # Errors
/// As the database.
pub async fn cancel(tx: &mut ControlTx, user: UserId, purpose: Purpose, from: Option<Time>) -> Result<u64> {
    tx.sql(
        "DELETE FROM tickets
         WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL AND ($3 IS NULL OR created_at >= $3)",
    )
    .bind(user)
    .bind(purpose.as_str())
    .bind(from)
    .unaudited("part of what made them void, which is recorded")
    .run()
    .await
}

/// Removes links that ended before the given time; at most a thousand.
/// # Errors
/// As the database.
pub async fn sweep(tx: &mut ControlTx, before: Time) -> Result<u64> {
    tx.sql(
        "DELETE FROM tickets
         WHERE id IN (SELECT id FROM tickets WHERE expires_at < $1 ORDER BY expires_at LIMIT 1000)",
    )
    .bind(before)
    .unaudited("ended long ago")
    .run()
    .await
}
