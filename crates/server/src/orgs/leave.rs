//! `POST /api/v1/orgs/{org_id}/leave`: ends the caller's own stay in an organisation.

use domain::OrgId;
use tenancy::members;

use crate::http::body::Path;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Done;

/// Nobody needs a permission to leave, nor an organisation in good standing; what they made stays.
pub(crate) async fn leave(person: Person, Path(id): Path<OrgId>) -> Result<Done> {
    let tx = members::leave(person.house(), person.user(), id, person.origin()).await?;
    let reply = person.commit(tx, Done).await?;
    person.house().settle(id).await;
    Ok(reply)
}
