//! `DELETE /api/v1/providers/{id}`: takes a provider away, and its key. Aliases pass over it from then on.

use domain::ProviderId;
use domain::access::can;
use store::audit::Event;
use store::org::providers;

use super::place::removable;
use crate::http::body::{IfMatch, Path};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(
    local: Local<can::ProvidersWrite>,
    Path(id): Path<ProviderId>,
    expected: IfMatch,
) -> Result<Done> {
    let mut caller = local.each();
    removable(&mut caller, id).await?;
    let mut tx = caller.begin().await?;
    let provider = providers::get(&mut tx, id).await?;
    expected.check(provider.version)?;
    providers::delete(&mut tx, id).await?;
    tx.record(Event::new("provider.deleted", id).before(&provider)).await?;
    let done = caller.commit(tx, Done).await?;
    caller.models().forget(caller.scope(), Some(id));
    Ok(done)
}
