//! Rules by which documents go: those of a collection that neither changed nor came again for so many days.
//!
//! A run takes at most [`MOST`] of them, in one transaction with what is recorded of it, so that a crash leaves nothing half done. When
//! the next one is stands on the collection; a job in the control database wakes the organisation then.

use std::time::Duration;

use domain::{CollectionId, Time};
use serde_json::json;

use super::collections::Collection;
use super::documents::{self, Document};
use super::{citings, forgotten, versions};
use crate::Result;
use crate::audit::Event;
use crate::org::Tx;

/// Documents that one run takes at most.
pub const MOST: i64 = 100;
/// How long a rule stands before it takes anything, and between two runs when the one before took all there was to take.
pub const PAUSE: Duration = Duration::from_hours(24);
/// Between two runs when there is more.
const SOON: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// So many days; 10 years at the most, whatever is asked for.
fn days(number: i64) -> Duration {
    DAY * u32::try_from(number.clamp(0, 3650)).unwrap_or(3650)
}

/// When a rule of so many days is first looked at: not before [`PAUSE`] is over, and not before there is something to take.
/// # Errors
/// As the database.
pub async fn first_run(tx: &mut Tx, id: CollectionId, retain_days: i64) -> Result<Time> {
    let now = tx.now();
    let oldest: Option<Time> =
        tx.sql("SELECT min(fresh_at) FROM documents WHERE collection_id = $1").bind(id).one().await?;
    Ok((now + PAUSE).max(oldest.unwrap_or(now) + days(retain_days)))
}

/// How many documents the next run of each rule takes: of the collections with ids from the first to the last, those that have one.
/// # Errors
/// As the database.
pub async fn doomed(tx: &mut Tx, first: CollectionId, last: CollectionId) -> Result<Vec<(CollectionId, i64)>> {
    let counted: Vec<(CollectionId, i64)> = tx
        .sql(
            "SELECT c.id, count(*) FROM collections c
             JOIN documents d ON d.collection_id = c.id AND d.fresh_at <= c.due_at - c.retain_days * 86400000000
             WHERE c.id >= $1 AND c.id <= $2 AND c.retain_days IS NOT NULL GROUP BY c.id",
        )
        .bind(first)
        .bind(last)
        .all()
        .await?;
    Ok(counted.into_iter().map(|(id, number)| (id, number.min(MOST))).collect())
}

/// What a run took.
#[derive(Debug)]
pub struct Run {
    /// How many documents.
    pub taken: usize,
    /// The originals that they had: what nothing else needs can go when this is committed.
    pub originals: Vec<String>,
    /// When the next run is.
    pub next: Time,
}

/// Takes the documents of a collection that are older than its rule says, at most [`MOST`], the oldest first, and records each. Nothing
/// is taken when the rule is not due yet. `None` when the collection has no rule.
/// # Errors
/// As the database.
pub async fn run(tx: &mut Tx, collection: &Collection) -> Result<Option<Run>> {
    let now = tx.now();
    let (Some(retain_days), Some(due_at)) = (collection.retain_days, collection.due_at) else { return Ok(None) };
    if now < due_at {
        return Ok(Some(Run { taken: 0, originals: Vec::new(), next: due_at }));
    }
    let stale: Vec<Document> = tx
        .sql(
            "SELECT id, collection_id, title, titled, name, source, kind, tags, status, fault, content_hash, size, latest, shown, passages,
                    embedded, job_id, made_by, version, created_at, updated_at
             FROM documents WHERE collection_id = $1 AND fresh_at <= $2 ORDER BY fresh_at, id LIMIT $3",
        )
        .opens(&documents::SEALED)
        .bind(collection.id)
        .bind(now - days(retain_days))
        .bind(MOST)
        .all()
        .await?;
    let mut originals = Vec::new();
    for document in &stale {
        originals.extend(versions::originals(tx, document.id).await?);
        tx.sql("DELETE FROM documents WHERE id = $1").bind(document.id).run().await?;
        let detail = json!({ "collection": collection.id, "retain_days": retain_days });
        tx.record(Event::new("document.deleted", document.id).before(document).detail(detail)).await?;
    }
    if !stale.is_empty() {
        citings::forget_gone(tx).await?;
        forgotten(tx).await?;
    }
    let next = if stale.len() < usize::try_from(MOST).unwrap_or(0) {
        first_run(tx, collection.id, retain_days).await?
    } else {
        now + SOON
    };
    postpone(tx, collection.id, next).await?;
    Ok(Some(Run { taken: stale.len(), originals, next }))
}

/// Lets a rule rest until then.
/// # Errors
/// As the database.
pub async fn postpone(tx: &mut Tx, id: CollectionId, until: Time) -> Result<()> {
    tx.sql("UPDATE collections SET due_at = $2 WHERE id = $1 AND retain_days IS NOT NULL")
        .bind(id)
        .bind(until)
        .unaudited("when a rule is looked at; that it was set is in the log")
        .run()
        .await?;
    Ok(())
}
