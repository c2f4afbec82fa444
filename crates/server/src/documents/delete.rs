//! `DELETE /api/v1/documents/{id}`: deletes a document with everything that was made of it.

use domain::DocumentId;
use domain::access::can;
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::{documents, versions};

use super::changeable;
use crate::http::body::{IfMatch, Path};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Done;
use crate::knowledge::originals;

pub(crate) async fn delete(
    local: Local<can::KnowledgeWrite>,
    Path(id): Path<DocumentId>,
    expected: IfMatch,
) -> Result<Done> {
    let caller = local.each();
    let (mut tx, document) = changeable(&caller, id).await?;
    expected.check(document.version)?;
    let hashes = versions::originals(&mut tx, id).await?;
    documents::delete(&mut tx, id).await?;
    let detail = json!({ "collection": document.collection_id });
    tx.record(Event::new("document.deleted", id).before(&document).detail(detail)).await?;
    let done = caller.commit(tx, Done).await?;
    originals::forget(caller.store(), caller.scope(), hashes).await;
    originals::rinse(caller.store(), caller.scope()).await;
    Ok(done)
}
