//! `POST /api/v1/sources/{id}/sync`: begins another round with a source, unless one waits or is under way.

use domain::SourceId;
use domain::access::{Permission, can};
use store::audit::Event;
use store::org::knowledge::sources::{self, Sync};

use super::{SourceView, find, queue};
use crate::http::body::Path;
use crate::http::caller::{Local, Metered, meters};
use crate::http::error::Result;
use crate::http::reply::Accepted;

pub(crate) async fn sync(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path(id): Path<SourceId>,
) -> Result<Accepted<SourceView>> {
    let (gate, _pass) = gate.through();
    let mut caller = gate.each();
    let mut tx = caller.read().await?;
    find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    drop(tx);
    caller.answered()?;
    let job = queue(&caller, id).await?;
    let mut tx = caller.begin().await?;
    let (before, seen) = find(&mut tx, caller.scope(), Permission::KnowledgeRead, id).await?;
    if !seen.may_change_added(caller.scope(), before.made_by) {
        drop(tx);
        return Err(caller.deny(Permission::KnowledgeManage, &id.to_string()).await);
    }
    seen.place.require_changeable()?;
    if matches!(before.status, Sync::Done | Sync::Failed) {
        sources::ask(&mut tx, id, job).await?;
        let after = sources::get(&mut tx, id).await?;
        tx.record(Event::new("source.synced", id).before(&before).after(&after)).await?;
    }
    let source = sources::get(&mut tx, id).await?;
    let reply = caller.commit(tx, Accepted(source.into())).await?;
    caller.store().wake_workers();
    Ok(reply)
}
