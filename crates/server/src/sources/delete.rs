//! `DELETE /api/v1/sources/{id}`: takes a source away. The documents that it brought stay, and change no more by themselves;
//! those with readers of their own go, since nobody would say any more who they are.

use domain::SourceId;
use domain::access::{Permission, can};
use serde_json::json;
use store::audit::Event;
use store::org::knowledge::sources;

use super::find;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Done;
use crate::knowledge::originals;

pub(crate) async fn delete(local: Local<can::KnowledgeWrite>, Path(id): Path<SourceId>) -> Result<Done> {
    let caller = local.each();
    let mut tx = caller.begin().await?;
    let (source, seen) = find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    if !seen.may_change_added(caller.scope(), source.made_by) {
        drop(tx);
        return Err(caller.deny(Permission::KnowledgeManage, &id.to_string()).await);
    }
    seen.place.require_changeable()?;
    let hashes = sources::delete(&mut tx, id).await?;
    let event = Event::new("source.deleted", id).before(&source);
    tx.record(event.detail(json!({ "collection": source.collection_id }))).await?;
    let done = caller.commit(tx, Done).await?;
    if !hashes.is_empty() {
        originals::forget(caller.store(), caller.scope(), hashes).await;
        originals::rinse(caller.store(), caller.scope()).await;
    }
    Ok(done)
}
