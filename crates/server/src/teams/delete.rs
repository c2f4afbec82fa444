//! `DELETE /api/v1/teams/{id}`: deletes a team that has none below it; its people stay members of the organisation.

use domain::TeamId;
use domain::access::can;
use store::audit::Event;
use store::org::teams;

use crate::http::body::{IfMatch, Path};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(local: Local<can::TeamsDelete>, Path(id): Path<TeamId>, expected: IfMatch) -> Result<Done> {
    let (caller, _) = local.team(id).await?;
    let mut tx = caller.begin().await?;
    let team = teams::get(&mut tx, id).await?;
    expected.check(team.version)?;
    teams::delete(&mut tx, id).await?;
    tx.record(Event::new("team.deleted", id).before(&team)).await?;
    caller.commit(tx, Done).await
}
