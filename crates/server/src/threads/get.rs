//! `GET /api/v1/threads/{id}`: shows a conversation.

use domain::ThreadId;
use domain::access::can;

use super::{ThreadView, find};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    local: Local<can::AnswersUse>,
    Path(id): Path<ThreadId>,
) -> Result<Versioned<Found<ThreadView>>> {
    let caller = local.each();
    let mut tx = caller.read().await?;
    let (thread, _) = find(&mut tx, caller.scope(), id).await?;
    Ok(Versioned(thread.version, Found(thread.into())))
}
