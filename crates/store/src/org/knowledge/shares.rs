//! With whom collections and conversations are shared: with people, for as long as their stay lasts, and with teams.

use domain::{CollectionId, Id, MembershipId, TeamId, ThreadId, Time, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::deliveries::Departure;
use crate::org::Tx;
use crate::sql::Transaction;
use crate::{OrNotFound, Result};

/// What is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// A collection, with all documents in it.
    Collection(CollectionId),
    /// A conversation, to be read.
    Thread(ThreadId),
}

impl Shared {
    /// Its id, whatever it is, as it is stored.
    fn stored(self) -> CollectionId {
        match self {
            Self::Collection(id) => id,
            Self::Thread(id) => CollectionId::from_uuid(id.uuid()),
        }
    }
}

/// With whom something is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharer {
    /// A person, for as long as this stay lasts.
    User(UserId, MembershipId),
    /// A team, with all below it.
    Team(TeamId),
}

/// A person or a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// A person.
    User(UserId),
    /// A team.
    Team(TeamId),
}

impl Subject {
    /// Its level and its id, as they are stored.
    fn stored(self) -> (&'static str, TeamId) {
        match self {
            Self::User(user) => ("user", TeamId::from_uuid(user.uuid())),
            Self::Team(team) => ("team", team),
        }
    }

    /// As [`Subject::stored`] said.
    fn read(level: &str, id: TeamId) -> Self {
        match level {
            "user" => Self::User(UserId::from_uuid(id.uuid())),
            _ => Self::Team(id),
        }
    }
}

impl Sharer {
    /// Who it is, whatever stay it is for.
    #[must_use]
    pub fn subject(self) -> Subject {
        self.parts().0
    }

    /// Who it is, and in which stay.
    fn parts(self) -> (Subject, Option<MembershipId>) {
        match self {
            Self::User(user, membership) => (Subject::User(user), Some(membership)),
            Self::Team(team) => (Subject::Team(team), None),
        }
    }
}

/// Shares something; says whether it was not shared so before. What was shared with an earlier stay of a person is shared anew.
/// # Errors
/// As the database.
pub async fn share(tx: &mut Tx, what: Shared, with: Sharer) -> Result<bool> {
    let now = tx.now();
    let (subject, membership) = with.parts();
    let (level, stored) = subject.stored();
    let there: Option<Option<MembershipId>> = tx
        .sql("SELECT membership_id FROM shares WHERE shared = $1 AND level = $2 AND subject = $3")
        .bind(what.stored())
        .bind(level)
        .bind(stored)
        .optional()
        .await?;
    match there {
        Some(before) if before == membership => return Ok(false),
        Some(_) => unshare(tx, what, subject).await?,
        None => false,
    };
    let (collection, thread) = match what {
        Shared::Collection(id) => (Some(id), None),
        Shared::Thread(id) => (None, Some(id)),
    };
    let added = tx
        .sql(
            "INSERT INTO shares (shared, collection_id, thread_id, level, subject, membership_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(what.stored())
        .bind(collection)
        .bind(thread)
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
pub async fn unshare(tx: &mut Tx, what: Shared, with: Subject) -> Result<bool> {
    let (level, subject) = with.stored();
    let removed = tx
        .sql("DELETE FROM shares WHERE shared = $1 AND level = $2 AND subject = $3")
        .bind(what.stored())
        .bind(level)
        .bind(subject)
        .run()
        .await?;
    Ok(removed == 1)
}

/// With whom something is shared, and since when: at most `limit` after the one given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, what: Shared, after: Option<Subject>, limit: i64) -> Result<Vec<(Subject, Time)>> {
    let (level, subject) = after.map_or(("", TeamId::from_uuid(Uuid::nil())), Subject::stored);
    let rows: Vec<(String, TeamId, Time)> = tx
        .sql(
            "SELECT level, subject, created_at FROM shares
             WHERE shared = $1 AND (level > $2 OR (level = $2 AND subject > $3)) ORDER BY level, subject LIMIT $4",
        )
        .bind(what.stored())
        .bind(level)
        .bind(subject)
        .bind(limit)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(level, subject, since)| (Subject::read(&level, subject), since)).collect())
}

/// Since when something is shared with a person or a team.
/// # Errors
/// [`crate::Error::NotFound`] when it is not.
pub async fn since(tx: &mut Tx, what: Shared, with: Subject) -> Result<Time> {
    let (level, subject) = with.stored();
    tx.sql("SELECT created_at FROM shares WHERE shared = $1 AND level = $2 AND subject = $3")
        .bind(what.stored())
        .bind(level)
        .bind(subject)
        .optional()
        .await
        .or_not_found("share")
}

/// Ends all shares of something; gives how many there were.
/// # Errors
/// As the database.
pub async fn end_all(tx: &mut Tx, what: Shared) -> Result<u64> {
    tx.sql("DELETE FROM shares WHERE shared = $1").bind(what.stored()).run().await
}

/// The collections that are shared with a person in one of their stays, or with a team that the person is in, or one above that:
/// whoever is in a team is in the teams above it.
/// # Errors
/// As the database.
pub async fn collections(tx: &mut Tx, user: UserId, membership: MembershipId) -> Result<Vec<CollectionId>> {
    reaching(tx, user, membership, false).await
}

/// The conversations that are shared with a person, as [`collections`] are.
/// # Errors
/// As the database.
pub async fn threads(tx: &mut Tx, user: UserId, membership: MembershipId) -> Result<Vec<ThreadId>> {
    reaching(tx, user, membership, true).await
}

async fn reaching<T: DeserializeOwned>(
    tx: &mut Tx,
    user: UserId,
    membership: MembershipId,
    are_threads: bool,
) -> Result<Vec<T>> {
    tx.sql(
        "SELECT DISTINCT shared FROM shares
         WHERE (thread_id IS NOT NULL) = $3
           AND ((level = 'user' AND subject = $1 AND membership_id = $2) OR (level = 'team' AND subject IN (
             WITH RECURSIVE up (id, parent_id) AS (
               SELECT teams.id, teams.parent_id FROM teams JOIN team_members ON team_members.team_id = teams.id
               WHERE team_members.user_id = $1 AND team_members.membership_id = $2
               UNION SELECT t.id, t.parent_id FROM teams t JOIN up ON t.id = up.parent_id)
             SELECT id FROM up)))",
    )
    .bind(user)
    .bind(membership)
    .bind(are_threads)
    .all()
    .await
}

/// Ends what was shared with somebody whose stay has ended.
pub(crate) async fn depart(tx: &mut Transaction, departure: &Departure) -> Result<()> {
    tx.sql("DELETE FROM shares WHERE level = 'user' AND subject = $1 AND membership_id = $2")
        .bind(departure.user)
        .bind(departure.membership)
        .unaudited("the end of the stay is in the log")
        .run()
        .await?;
    Ok(())
}
