//! What an organisation knows: collections of documents, their passages with words and vectors, and the conversations about them.
//!
//! Nothing here knows of rights: whoever searches says which collections the asker may see, found in the same transaction.

pub mod chunks;
pub mod circles;
pub mod citings;
pub mod collections;
pub mod documents;
pub mod embedding;
pub mod imports;
pub mod originals;
pub mod passages;
pub mod pulse;
pub mod retention;
pub mod search;
pub mod shares;
pub mod sources;
pub mod storage;
pub mod threads;
pub mod versions;
mod words;

use domain::UserId;
use serde::Deserialize;

use super::{Tx, quota_alerts};
use crate::Result;

const COUNTS: &str = "numbers and a count of changes";

/// Takes this many numbers that are never used again; gives the first.
pub(crate) async fn numbers(tx: &mut Tx, count: i64) -> Result<i64> {
    let last: i64 = tx
        .sql("UPDATE tenant SET numbers = numbers + $1 RETURNING numbers")
        .bind(count)
        .unaudited(COUNTS)
        .one()
        .await?;
    Ok(last - count + 1)
}

/// Says that what is found changes with this transaction.
pub(crate) async fn changed(tx: &mut Tx) -> Result<()> {
    tx.sql("UPDATE tenant SET changes = changes + 1").unaudited(COUNTS).run().await?;
    Ok(())
}

/// Says that what is found changes with this transaction, and that passages are gone.
pub(crate) async fn lost(tx: &mut Tx) -> Result<()> {
    tx.sql("UPDATE tenant SET changes = changes + 1, losses = losses + 1").unaudited(COUNTS).run().await?;
    Ok(())
}

/// Says that what is found changes with this transaction, and that passages are in another collection than before.
pub(crate) async fn moved(tx: &mut Tx) -> Result<()> {
    tx.sql("UPDATE tenant SET changes = changes + 1, moves = moves + 1").unaudited(COUNTS).run().await?;
    Ok(())
}

/// Says that passages were deleted. A file's index of words only marks what is gone, and holds it until [`originals::rinse`].
pub(crate) async fn forgotten(tx: &mut Tx) -> Result<()> {
    quota_alerts::rearm(tx).await?;
    lost(tx).await
}

/// How far an organisation's knowledge is. What is kept of it in memory is true as long as this is what it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct State {
    /// How often what is found has changed.
    pub changes: i64,
    /// How often passages went with that.
    pub losses: i64,
    /// How often passages came into another collection with that.
    pub moves: i64,
    /// The last number that was given to a passage or a collection.
    pub numbers: i64,
}

/// How far its knowledge is.
/// # Errors
/// As the database.
pub async fn state(tx: &mut Tx) -> Result<State> {
    tx.sql("SELECT changes, losses, moves, numbers FROM tenant").one().await
}

/// Removes what a person kept to themselves: their private collections with all that is in them, and their conversations. Says how many
/// of both. The originals stay until [`originals::sweep`].
/// # Errors
/// As the database.
pub async fn forget_person(tx: &mut Tx, user: UserId) -> Result<(u64, u64)> {
    let threads = tx.sql("DELETE FROM threads WHERE user_id = $1").bind(user).run().await?;
    let collections =
        tx.sql("DELETE FROM collections WHERE made_by = $1 AND access = 'private'").bind(user).run().await?;
    if collections > 0 {
        citings::forget_gone(tx).await?;
        forgotten(tx).await?;
    }
    Ok((collections, threads))
}
