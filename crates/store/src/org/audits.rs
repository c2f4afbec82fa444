//! The organisation's audit log: reading it. [`Tx::record`] writes it, [`crate::Store::verify_org`] checks that it is whole.

use super::Tx;
use crate::Result;
use crate::audit::{self, Entry, Filter, Head, Verified};

/// The entries that a filter lets through, the newest first; at most `limit` below the place given.
/// # Errors
/// As the database.
pub async fn list(tx: &mut Tx, filter: Filter, below: i64, limit: i64) -> Result<Vec<Entry>> {
    audit::list(tx.transaction(), filter, below, limit).await
}

/// The entries that a filter lets through, in the order of the chain; at most `limit` above the place given.
/// # Errors
/// As the database.
pub async fn list_rising(tx: &mut Tx, filter: Filter, above: i64, limit: i64) -> Result<Vec<Entry>> {
    audit::list_rising(tx.transaction(), filter, above, limit).await
}

/// The last entry's place and hash.
/// # Errors
/// As the database.
pub async fn head(tx: &mut Tx) -> Result<Head> {
    audit::head(tx.transaction()).await
}

/// Walks the whole chain in this transaction's state: no gaps, each hash right, the head as noted, and the given heads on it.
/// [`crate::Store::verify_org`] brings the signed ones along.
/// # Errors
/// As the database; what is wrong with the chain is no error but the outcome's fault.
pub async fn verify(tx: &mut Tx, heads: &[Head]) -> Result<Verified> {
    audit::verify(tx.transaction(), heads).await
}
