//! `POST /api/v1/collections/{id}/documents`: takes a file. Its original is on the disk, sealed, before the answer; reading it is a job.

use domain::CollectionId;
use domain::access::{Permission, can};

use super::arrive::{Uploaded, arrive};
use super::receive::Desk;
use crate::http::body::Path;
use crate::http::caller::{Local, Metered, meters};
use crate::http::error::Result;
use crate::http::reply::Accepted;
use crate::http::upload::Form;
use crate::knowledge::{originals, sight};

pub(crate) async fn upload(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path(id): Path<CollectionId>,
    form: Form,
) -> Result<Accepted<Uploaded>> {
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
    if let Err(answered) = caller.brought(received.fingerprint()) {
        originals::forget(caller.store(), caller.scope(), vec![received.written.hash]).await;
        return Err(answered);
    }
    arrive(&caller, id, received, "upload", &desk).await
}
