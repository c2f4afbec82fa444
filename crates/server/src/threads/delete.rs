//! `DELETE /api/v1/threads/{id}`: deletes a conversation with all that was said in it. In an archived project, too.

use domain::ThreadId;
use domain::access::can;
use store::audit::Event;
use store::org::knowledge::threads;

use super::own;
use crate::http::body::{IfMatch, Path};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(local: Local<can::AnswersUse>, Path(id): Path<ThreadId>, expected: IfMatch) -> Result<Done> {
    let caller = local.each();
    let (mut tx, thread, _) = own(&caller, id).await?;
    expected.check(thread.version)?;
    threads::delete(&mut tx, id).await?;
    tx.record(Event::new("thread.deleted", id).before(&thread)).await?;
    caller.commit(tx, Done).await
}
