//! With whom conversations are shared: as collections are (`collections.rs`), to be read.

use domain::{Id as _, MembershipId, TeamId, ThreadId, Time, UserId};
use uuid::Uuid;

use super::collections::{Sharer, Subject};
use crate::deliveries::Departure;
use crate::org::Tx;
use crate::sql::Transaction;
use crate::{OrNotFound, Result};

/// Shares a conversation; says whether it was not shared so before. What was shared with an earlier stay of a person is shared anew.
/// # Errors
/// As the database.
pub async fn share(tx: &mut Tx, id: ThreadId, with: Sharer) -> Result<bool> {
    let now = tx.now();
    let (subject, membership) = with.parts();
    let (level, stored) = subject.stored();
    let there: Option<Option<MembershipId>> = tx
        .sql("SELECT membership_id FROM thread_shares WHERE thread_id = $1 AND level = $2 AND subject = $3")
        .bind(id)
        .bind(level)
        .bind(stored)
        .optional()
        .await?;
    match there {
        Some(before) if before == membership => return Ok(false),
        Some(_) => unshare(tx, id, subject).await?,
        None => false,
    };
    let added = tx
        .sql(
            "INSERT INTO thread_shares (thread_id, level, subject, membership_id, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(level)
        .bind(stored)
        .bind(membership)
        .bind(now)
        .run()
        .await?;
    Ok(added == 1)
}

/// Ends a share; says whether there was one.
/// # Errors
/// As the database.
pub async fn unshare(tx: &mut Tx, id: ThreadId, with: Subject) -> Result<bool> {
    let (level, subject) = with.stored();
    let removed = tx
        .sql("DELETE FROM thread_shares WHERE thread_id = $1 AND level = $2 AND subject = $3")
        .bind(id)
        .bind(level)
        .bind(subject)
        .run()
        .await?;
    Ok(removed == 1)
}

/// With whom a conversation is shared, and since when: at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, id: ThreadId, after: Option<Subject>, limit: i64) -> Result<Vec<(Subject, Time)>> {
    let (level, subject) = after.map_or(("", TeamId::from_uuid(Uuid::nil())), Subject::stored);
    let rows: Vec<(String, TeamId, Time)> = tx
        .sql(
            "SELECT level, subject, created_at FROM thread_shares
             WHERE thread_id = $1 AND (level > $2 OR (level = $2 AND subject > $3)) ORDER BY level, subject LIMIT $4",
        )
        .bind(id)
        .bind(level)
        .bind(subject)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(level, subject, since)| (Subject::read(&level, subject), since)).collect())
}

/// Since when a conversation is shared with a person or a team.
/// # Errors
/// [`crate::Error::NotFound`] when it is not.
pub async fn since(tx: &mut Tx, id: ThreadId, with: Subject) -> Result<Time> {
    let (level, subject) = with.stored();
    tx.sql("SELECT created_at FROM thread_shares WHERE thread_id = $1 AND level = $2 AND subject = $3")
        .bind(id)
        .bind(level)
        .bind(subject)
        .optional()
        .await
        .or_not_found("share")
}

/// Ends all shares of a conversation; gives how many there were.
/// # Errors
/// As the database.
pub async fn end_all(tx: &mut Tx, id: ThreadId) -> Result<u64> {
    tx.sql("DELETE FROM thread_shares WHERE thread_id = $1").bind(id).run().await
}

/// The conversations that are shared with a person in one of their stays, or with a team that the person is in, or one above that.
/// # Errors
/// As the database.
pub async fn reaching(tx: &mut Tx, user: UserId, membership: MembershipId) -> Result<Vec<ThreadId>> {
    tx.sql(
        "SELECT DISTINCT thread_id FROM thread_shares
         WHERE (level = 'user' AND subject = $1 AND membership_id = $2) OR (level = 'team' AND subject IN (
           WITH RECURSIVE up (id, parent_id) AS (
             SELECT teams.id, teams.parent_id FROM teams JOIN team_members ON team_members.team_id = teams.id
             WHERE team_members.user_id = $1 AND team_members.membership_id = $2
             UNION SELECT t.id, t.parent_id FROM teams t JOIN up ON t.id = up.parent_id)
           SELECT id FROM up))",
    )
    .bind(user)
    .bind(membership)
    .all()
    .await
}

/// Ends what was shared with somebody whose stay has ended.
pub(crate) async fn depart(tx: &mut Transaction, departure: &Departure) -> Result<()> {
    tx.sql("DELETE FROM thread_shares WHERE level = 'user' AND subject = $1 AND membership_id = $2")
        .bind(departure.user)
        .bind(departure.membership)
        .unaudited("the end of the stay is in the log")
        .run()
        .await?;
    Ok(())
}
