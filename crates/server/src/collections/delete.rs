//! `DELETE /api/v1/collections/{id}?confirm=<name>`: deletes a collection with all documents in it. For good, so the name must be
//! repeated.

use domain::CollectionId;
use domain::access::can;
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::org::knowledge::collections;

use super::changeable;
use crate::http::body::{IfMatch, Path, Query};
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::Done;
use crate::knowledge::originals;

/// That it is meant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// The collection's name.
    confirm: String,
}

pub(crate) async fn delete(
    local: Local<can::KnowledgeWrite>,
    Path(id): Path<CollectionId>,
    expected: IfMatch,
    Query(query): Query<Confirmation>,
) -> Result<Done> {
    let caller = local.each();
    let (mut tx, collection) = changeable(&caller, id).await?;
    expected.check(collection.version)?;
    if query.confirm != collection.name.as_str() {
        return Err(Problem::field("confirm", "must be the collection's name, letter by letter"));
    }
    collections::delete(&mut tx, id).await?;
    tx.record(Event::new("collection.deleted", id).before(&collection)).await?;
    let done = caller.commit(tx, Done).await?;
    originals::sweep(caller.store(), caller.scope()).await;
    originals::rinse(caller.store(), caller.scope()).await;
    Ok(done)
}
