//! `DELETE /api/v1/auth/sessions`: ends all of the caller's sessions but the one that asks.

use tenancy::sessions;

use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete_others(person: Person) -> Result<Done> {
    sessions::end_others(person.house(), person.user(), person.session().id, person.origin()).await?;
    Ok(Done)
}
