//! `POST /api/v1/collections/{id}/documents/archive`: takes many files at once, packed: a folder, or an export of Notion. The answer
//! names the job that takes them out one by one (`documents/unpack.rs`).

use domain::access::{Permission, can};
use domain::{CollectionId, JobId};
use store::Json;
use store::audit::Event;
use store::control::jobs;
use store::org::knowledge::imports::{self, Import, Stage};

use super::receive::{Desk, Received};
use super::unpack;
use crate::http::body::Path;
use crate::http::caller::{Caller, Local, Metered, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Accepted;
use crate::http::upload::Form;
use crate::jobs::JobView;
use crate::knowledge::{originals, sight};

pub(crate) async fn archive(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path(id): Path<CollectionId>,
    form: Form,
) -> Result<Accepted<JobView>> {
    let (gate, _pass) = gate.through();
    let mut caller = gate.each();
    let mut tx = caller.read().await?;
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, id).await?;
    drop(tx);
    let form = form.open()?;
    if !caller.is_answered() {
        seen.require_open()?;
    }
    let desk = Desk::open(&caller, 1).await?;
    let received = desk.form(form).await?;
    let hash = received.written.hash.clone();
    let outcome = match caller.brought(received.fingerprint()) {
        Ok(()) => take(&caller, id, received, &desk).await,
        Err(answered) => Err(answered),
    };
    if outcome.is_err() {
        originals::forget(caller.store(), caller.scope(), vec![hash]).await;
    }
    caller.store().wake_workers();
    outcome
}

async fn take(
    caller: &Caller<can::KnowledgeWrite>,
    collection: CollectionId,
    received: Received,
    desk: &Desk,
) -> Result<Accepted<JobView>> {
    let size = received.size();
    let Received { written, name, title, tags } = received;
    if title.is_some() {
        return Err(Problem::field("title", "is not a field of this form: each file has its own"));
    }
    let (id, now): (JobId, _) = (caller.ambient().id(), caller.ambient().now());
    // Queued before the archive is committed: nothing is ever committed that nobody comes for.
    let mut tx = caller.begin_control().await?;
    jobs::queue(&mut tx, caller.org(), unpack::UNPACK, id, caller.user(), now).await?;
    tx.commit().await?;
    let mut tx = caller.begin().await?;
    // What the caller may do can have ended while the file was on its way.
    sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, collection).await?;
    desk.require(&written.hash).await?;
    let import = Import {
        id,
        collection_id: collection,
        name,
        tags: Json(tags.unwrap_or_default()),
        status: Stage::Queued,
        fault: None,
        content_hash: written.hash,
        size,
        done: 0,
        total: 0,
        made_by: caller.user(),
        created_at: now,
        updated_at: now,
    };
    imports::insert(&mut tx, &import).await?;
    desk.room.require(&mut tx, false).await?;
    tx.record(Event::new("archive.created", id).after(&import)).await?;
    caller.commit(tx, Accepted(import.into())).await
}
