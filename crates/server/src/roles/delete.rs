//! `DELETE /api/v1/roles/{id}`: deletes a custom role that nobody holds.

use domain::access::can;
use domain::role::Role;
use tenancy::roles;

use crate::http::body::{IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(caller: Caller<can::RolesWrite>, Path(id): Path<Role>, expected: IfMatch) -> Result<Done> {
    let Role::Custom(id) = id else { return Err(super::fixed()) };
    let outcome = roles::delete(caller.house(), caller.scope(), id, expected.version()).await;
    caller.told(outcome, id).await?;
    Ok(Done)
}
