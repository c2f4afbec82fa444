//! `DELETE /api/v1/auth/sessions/{id}`: ends one of the caller's sessions.

use domain::SessionId;
use tenancy::sessions;

use crate::http::body::Path;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(person: Person, Path(id): Path<SessionId>) -> Result<Done> {
    sessions::end(person.house(), person.user(), id, person.origin()).await?;
    Ok(Done)
}
