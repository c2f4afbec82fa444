//! `GET /api/v1/sources/{id}`: shows a source, and how far it is.

use domain::SourceId;
use domain::access::{Permission, can};

use super::{SourceView, find};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    local: Local<can::KnowledgeRead>,
    Path(id): Path<SourceId>,
) -> Result<Versioned<Found<SourceView>>> {
    let caller = local.each();
    let mut tx = caller.read().await?;
    let (source, _) = find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    Ok(Versioned(source.version, Found(source.into())))
}
