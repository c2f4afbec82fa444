//! What collections take: counted over all of some at once, from numbers that stand on documents and versions.

use std::collections::BTreeMap;

use domain::CollectionId;
use serde::Deserialize;

use super::collections::Collection;
use super::embedding;
use crate::Result;
use crate::org::Tx;

/// What a collection takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Documents in it.
    pub documents: i64,
    /// Passages that are found.
    pub passages: i64,
    /// Bytes of the originals of all versions; the same original counts once.
    pub original_bytes: i64,
    /// Bytes of what was read from all versions, and of the passages.
    pub text_bytes: i64,
    /// Bytes of the vectors: of the model that answers, and of the one that takes its place.
    pub vector_bytes: i64,
}

#[derive(Deserialize)]
struct Row {
    id: CollectionId,
    documents: i64,
    passages: i64,
    embedded: i64,
    originals: i64,
    texts: i64,
}

/// What each of some collections takes, which are in the order of their ids; `inside` is the size of a vector of the model inside the
/// program, which answers as long as nothing was chosen.
/// # Errors
/// As the database.
pub async fn of(tx: &mut Tx, some: &[Collection], inside: i64) -> Result<BTreeMap<CollectionId, Held>> {
    let (Some(first), Some(last)) = (some.first(), some.last()) else { return Ok(BTreeMap::new()) };
    let rows: Vec<Row> = tx
        .sql(
            "SELECT held.id, held.documents, held.passages, held.embedded, kept.originals, held.texts + kept.texts AS texts
             FROM (SELECT collection_id AS id, count(*) AS documents, CAST(sum(passages) AS BIGINT) AS passages,
                          CAST(sum(embedded) AS BIGINT) AS embedded, CAST(sum(text_bytes) AS BIGINT) AS texts
                   FROM documents WHERE collection_id >= $1 AND collection_id <= $2 GROUP BY collection_id) held
             JOIN (SELECT once.id, CAST(sum(once.size) AS BIGINT) AS originals, CAST(sum(once.texts) AS BIGINT) AS texts
                   FROM (SELECT d.collection_id AS id, v.content_hash, max(v.size) AS size, sum(v.text_bytes) AS texts
                         FROM documents d JOIN versions v ON v.document_id = d.id
                         WHERE d.collection_id >= $1 AND d.collection_id <= $2 GROUP BY d.collection_id, v.content_hash) once
                   GROUP BY once.id) kept ON kept.id = held.id",
        )
        .bind(first.id)
        .bind(last.id)
        .all()
        .await?;
    let model = embedding::find(tx).await?;
    let size = model.as_ref().map_or(inside, |model| model.size.unwrap_or(0));
    let mut held: BTreeMap<CollectionId, Held> = rows
        .into_iter()
        .map(|row| {
            let Row { id, documents, passages, embedded, originals, texts } = row;
            let vector_bytes = embedded.saturating_mul(size);
            (id, Held { documents, passages, original_bytes: originals, text_bytes: texts, vector_bytes })
        })
        .collect();
    // Only while one model takes the place of another: the vectors of the coming one are counted nowhere.
    if let Some((coming, size)) = model.and_then(|model| Some((model.coming?, model.coming_size?))) {
        let counted: Vec<(i64, i64)> = tx
            .sql("SELECT collection, count(*) FROM vectors WHERE model = $1 GROUP BY collection")
            .bind(coming)
            .all()
            .await?;
        let counted: BTreeMap<i64, i64> = counted.into_iter().collect();
        for collection in some {
            if let (Some(held), Some(number)) = (held.get_mut(&collection.id), counted.get(&collection.number)) {
                held.vector_bytes = held.vector_bytes.saturating_add(number.saturating_mul(size));
            }
        }
    }
    Ok(held)
}
