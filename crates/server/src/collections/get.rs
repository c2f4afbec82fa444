//! `GET /api/v1/collections/{id}`: shows a collection.

use domain::CollectionId;
use domain::access::{Permission, can};

use super::view::{self, CollectionView};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};
use crate::knowledge::sight;

pub(crate) async fn get(
    local: Local<can::KnowledgeRead>,
    Path(id): Path<CollectionId>,
) -> Result<Versioned<Found<CollectionView>>> {
    let caller = local.each();
    let mut tx = caller.read().await?;
    let collection = sight::find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?.collection;
    let version = collection.version;
    Ok(Versioned(version, Found(view::one(&mut tx, collection).await?)))
}
