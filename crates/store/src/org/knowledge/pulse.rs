//! How far the documents of each collection are, for whoever waits for a change of what they see.

use domain::{CollectionId, Time};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::org::Tx;

/// How far a collection's documents are; another one after each change of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// The collection.
    pub collection_id: CollectionId,
    /// Its documents.
    pub documents: i64,
    /// When one of them last changed.
    pub updated_at: Time,
}

/// The pulses of all collections that have a document, by id.
/// # Errors
/// As the database.
pub async fn all(tx: &mut Tx) -> Result<Vec<Pulse>> {
    tx.sql(
        "SELECT collection_id, count(*) AS documents, max(updated_at) AS updated_at FROM documents
         GROUP BY collection_id ORDER BY collection_id",
    )
    .all()
    .await
}
