//! A collection as the API shows it: with what it takes, and with what its rule will take away.

use std::collections::BTreeMap;

use domain::text::{CollectionName, Description};
use domain::{CollectionId, ProjectId, Time, UserId};
use embedding::DIMENSIONS;
use schemars::JsonSchema;
use serde::Serialize;
use store::Tx;
use store::org::knowledge::collections::{Collection, Reach};
use store::org::knowledge::retention;
use store::org::knowledge::storage::{self, Held};

/// A collection of documents.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Collection")]
pub(crate) struct CollectionView {
    id: CollectionId,
    /// The project it belongs to; null for the organisation as a whole.
    project_id: Option<ProjectId>,
    name: CollectionName,
    description: Description,
    /// Who sees it.
    access: Reach,
    /// The collection that it is within, when it holds what a source brought there that has readers of its own; null for all others. It is
    /// seen by those of these readers who see that collection, and changes by its source alone.
    within: Option<CollectionId>,
    /// Who made it.
    created_by: UserId,
    created_at: Time,
    updated_at: Time,
    /// What it takes.
    storage: StorageView,
    /// The rule by which documents go that grow old; null when they stay for ever.
    retention: Option<RetentionView>,
}

/// What a collection takes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CollectionStorage")]
struct StorageView {
    documents: i64,
    /// Passages that are found.
    passages: i64,
    /// Bytes of the originals of all versions; the same original counts once.
    original_bytes: i64,
    /// Bytes of what was read from all versions, and of the passages.
    text_bytes: i64,
    /// Bytes of the vectors by which passages are found by their meaning.
    vector_bytes: i64,
}

/// A rule by which documents go that grow old.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CollectionRetention")]
struct RetentionView {
    /// After how many days a document goes that neither changed nor came again.
    days: i64,
    /// When documents go next.
    next_run_at: Time,
    /// How many of those that are there go then, if none of them changes or comes again before. The rest go later.
    next_run_documents: i64,
}

/// Collections as they are shown, which are in the order of their ids.
/// # Errors
/// As the database.
pub(super) async fn shown(tx: &mut Tx, some: Vec<Collection>) -> store::Result<Vec<CollectionView>> {
    let (Some(first), Some(last)) = (some.first(), some.last()) else { return Ok(Vec::new()) };
    let doomed = if some.iter().any(|collection| collection.retain_days.is_some()) {
        retention::doomed(tx, first.id, last.id).await?
    } else {
        Vec::new()
    };
    let doomed: BTreeMap<CollectionId, i64> = doomed.into_iter().collect();
    let held = storage::of(tx, &some, i64::try_from(DIMENSIONS).unwrap_or(0)).await?;
    let view = |collection: Collection| {
        let going = doomed.get(&collection.id).copied().unwrap_or(0);
        let held = held.get(&collection.id).copied().unwrap_or_default();
        view(collection, held, going)
    };
    Ok(some.into_iter().map(view).collect())
}

/// A collection as it is shown.
/// # Errors
/// As the database.
pub(super) async fn one(tx: &mut Tx, collection: Collection) -> store::Result<CollectionView> {
    let id = collection.id;
    shown(tx, vec![collection]).await?.pop().ok_or_else(|| store::Error::Bug(format!("{id} is not shown")))
}

fn view(collection: Collection, held: Held, next_run_documents: i64) -> CollectionView {
    let rule = collection.retain_days.zip(collection.due_at);
    CollectionView {
        id: collection.id,
        project_id: collection.project_id,
        name: collection.name,
        description: collection.description,
        access: collection.access,
        within: collection.within,
        created_by: collection.made_by,
        created_at: collection.created_at,
        updated_at: collection.updated_at,
        storage: StorageView {
            documents: held.documents,
            passages: held.passages,
            original_bytes: held.original_bytes,
            text_bytes: held.text_bytes,
            vector_bytes: held.vector_bytes,
        },
        retention: rule.map(|(days, next_run_at)| RetentionView { days, next_run_at, next_run_documents }),
    }
}
