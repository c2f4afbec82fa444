//! `PUT /api/v1/documents/{id}/content`: gives a document a new version. What is found of it is the old version, whole, until the new
//! one is read; then all passages change at once. The same bytes are no new version.

use domain::DocumentId;
use domain::access::can;
use knowledge::intake;
use store::Json;
use store::audit::Event;
use store::control::jobs;
use store::org::knowledge::documents::{self, Document, Status};
use store::org::knowledge::versions::{self, Version};

use super::arrive::{Uploaded, newest};
use super::changeable;
use super::receive::{Desk, Received, came_between};
use crate::http::body::{IfMatch, Path};
use crate::http::caller::{Caller, Local, Metered, meters};
use crate::http::error::Result;
use crate::http::reply::{Accepted, Versioned};
use crate::http::upload::Form;
use crate::knowledge::originals;

pub(crate) async fn replace(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path(id): Path<DocumentId>,
    expected: IfMatch,
    form: Form,
) -> Result<Versioned<Accepted<Uploaded>>> {
    let (gate, _pass) = gate.through();
    let caller = gate.each();
    let (tx, before) = changeable(&caller, id).await?;
    drop(tx);
    expected.check(before.version)?;
    let form = form.open()?;
    let desk = Desk::open(&caller, 0).await?;
    let received = desk.form(form).await?;
    renewed(&caller, &before, expected, received, &desk).await
}

/// Gives a document what came again, whatever version it has by now.
pub(super) async fn again(
    caller: &Caller<can::KnowledgeWrite>,
    before: &Document,
    received: Received,
    desk: &Desk,
) -> Result<Accepted<Uploaded>> {
    renewed(caller, before, IfMatch::any(), received, desk).await.map(|Versioned(_, reply)| reply)
}

/// Renews a document; what does not become a version is forgotten.
async fn renewed(
    caller: &Caller<can::KnowledgeWrite>,
    before: &Document,
    expected: IfMatch,
    received: Received,
    desk: &Desk,
) -> Result<Versioned<Accepted<Uploaded>>> {
    let hash = received.written.hash.clone();
    let outcome = renew(caller, before, expected, received, desk).await;
    if outcome.is_err() {
        originals::forget(caller.store(), caller.scope(), vec![hash]).await;
    }
    caller.store().wake_workers();
    outcome
}

async fn renew(
    caller: &Caller<can::KnowledgeWrite>,
    seen: &Document,
    expected: IfMatch,
    received: Received,
    desk: &Desk,
) -> Result<Versioned<Accepted<Uploaded>>> {
    let id = seen.id;
    let size = received.size();
    let Received { written, name, title, tags } = received;
    let job = if has(seen, &written.hash) {
        None
    } else {
        // Queued before the version is committed: nothing is ever committed that nobody comes for.
        let mut tx = caller.begin_control().await?;
        let job = jobs::queue(&mut tx, caller.org(), intake::READ, id, caller.user(), caller.ambient().now()).await?;
        tx.commit().await?;
        Some(job)
    };
    // What the caller may do can have ended while the file was on its way.
    let (mut tx, before) = changeable(caller, id).await?;
    expected.check(before.version)?;
    let mut document = before.clone();
    if let Some(title) = title {
        (document.title, document.titled) = (title, true);
    }
    if let Some(tags) = tags {
        document.tags = Json(tags);
    }
    if has(&before, &written.hash) {
        documents::freshen(&mut tx, id).await?;
        let told = document.title != before.title || document.titled != before.titled || document.tags != before.tags;
        if told {
            documents::update(&mut tx, &document).await?;
            document = documents::get(&mut tx, id).await?;
            tx.record(Event::new("document.updated", id).before(&before).after(&document)).await?;
        }
        let version = document.version;
        let reply = Accepted(Uploaded { document: document.into(), job_id: None });
        return caller.commit(tx, Versioned(version, reply)).await;
    }
    let Some(job) = job else { return Err(came_between()) };
    desk.require(&written.hash).await?;
    if before.content_hash == written.hash {
        // It could not be read, and comes again.
        documents::update(&mut tx, &document).await?;
        documents::retry(&mut tx, id, job).await?;
        document = documents::get(&mut tx, id).await?;
    } else {
        document = Document { name, content_hash: written.hash, size, job_id: job, ..document };
        documents::renew(&mut tx, &document).await?;
        document = documents::get(&mut tx, id).await?;
        versions::insert(&mut tx, &Version { made_by: caller.user(), ..newest(&document) }).await?;
        desk.room.require(&mut tx, false).await?;
    }
    tx.record(Event::new("document.replaced", id).before(&before).after(&document)).await?;
    let version = document.version;
    let reply = Accepted(Uploaded { document: document.into(), job_id: Some(job) });
    caller.commit(tx, Versioned(version, reply)).await
}

/// Whether a document has this content already, and it could be read or still may be.
fn has(document: &Document, hash: &str) -> bool {
    document.content_hash == hash && document.status != Status::Failed
}
