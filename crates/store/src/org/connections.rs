//! Services outside to which people gave a key of their own, sealed.

use domain::connection::ConnectionKind;
use domain::{MembershipId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::Tx;
use crate::Result;
use crate::deliveries::Departure;
use crate::sql::Transaction;

/// The place in which keys are sealed ([`super::OrgStore::seal`]), by person.
pub const SEALED: &str = "connections.sealed";

/// A connection of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connection {
    /// Whose.
    pub user_id: UserId,
    /// With what.
    pub kind: ConnectionKind,
    /// The stay it ends with.
    pub membership_id: MembershipId,
    /// The service's own name for what the key stands for; Notion's `bot_id`.
    pub account: String,
    /// What the service calls the place that was opened, if it says.
    pub workspace: Option<String>,
    /// The key, sealed. Not shown, not in the audit log.
    #[serde(skip_serializing)]
    pub sealed: Vec<u8>,
    /// Which of the organisation's keys sealed it.
    pub key_version: i64,
    /// Since when.
    pub created_at: Time,
}

/// Puts a connection in the place of the one that the person had with the same service.
/// # Errors
/// As the database.
pub async fn put(tx: &mut Tx, connection: &Connection) -> Result<()> {
    remove(tx, connection.user_id, connection.kind).await?;
    tx.sql(
        "INSERT INTO connections (user_id, kind, membership_id, account, workspace, sealed, key_version, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(connection.user_id)
    .bind(connection.kind.as_str())
    .bind(connection.membership_id)
    .bind(&connection.account)
    .bind(connection.workspace.as_deref())
    .bind(connection.sealed.clone())
    .bind(connection.key_version)
    .bind(connection.created_at)
    .run()
    .await?;
    Ok(())
}

/// What a person has connected, in the order of the names.
/// # Errors
/// As the database.
pub async fn of_person(tx: &mut Tx, user: UserId) -> Result<Vec<Connection>> {
    tx.sql(
        "SELECT user_id, kind, membership_id, account, workspace, sealed, key_version, created_at
         FROM connections WHERE user_id = $1 ORDER BY kind",
    )
    .bind(user)
    .all()
    .await
}

/// Takes a connection away; says whether there was one.
/// # Errors
/// As the database.
pub async fn remove(tx: &mut Tx, user: UserId, kind: ConnectionKind) -> Result<bool> {
    let removed =
        tx.sql("DELETE FROM connections WHERE user_id = $1 AND kind = $2").bind(user).bind(kind.as_str()).run().await?;
    Ok(removed > 0)
}

/// Takes away what a person connected whose stay has ended.
pub(crate) async fn depart(tx: &mut Transaction, departure: &Departure) -> Result<()> {
    tx.sql("DELETE FROM connections WHERE user_id = $1 AND membership_id = $2")
        .bind(departure.user)
        .bind(departure.membership)
        .unaudited("the end of the stay is recorded")
        .run()
        .await?;
    Ok(())
}
