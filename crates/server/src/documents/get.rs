//! `GET /api/v1/documents/{id}`: shows a document, and how far the house is with it.

use domain::DocumentId;
use domain::access::can;

use super::{DocumentView, find};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    local: Local<can::KnowledgeRead>,
    Path(id): Path<DocumentId>,
) -> Result<Versioned<Found<DocumentView>>> {
    let caller = local.each();
    let mut tx = caller.read().await?;
    let (document, _) = find(&mut tx, caller.scope(), id).await?;
    Ok(Versioned(document.version, Found(document.into())))
}
