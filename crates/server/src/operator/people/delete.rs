//! `DELETE /api/v1/operator/people/{id}`: deletes a person's account. For 30 days an operator can restore it; the person cannot.

use domain::UserId;
use store::Actor;
use tenancy::leaving;

use super::PersonView;
use crate::http::body::{IfMatch, Path};
use crate::http::caller::Operator;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

pub(crate) async fn delete(
    operator: Operator,
    Path(id): Path<UserId>,
    expected: IfMatch,
) -> Result<Versioned<Found<PersonView>>> {
    let by = operator.person();
    if id == by.user() {
        return Err(Problem::new("conflict", "Delete your own account at DELETE /api/v1/user/profile."));
    }
    by.require_fresh()?;
    let actor = Actor::Operator(by.user());
    let (tx, leaving) = leaving::ask(by.house(), id, &actor, expected.version(), by.origin()).await?;
    by.commit(tx, Versioned(leaving.person.version, Found(leaving.person.into()))).await
}
