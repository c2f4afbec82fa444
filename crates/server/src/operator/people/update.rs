//! `PATCH /api/v1/operator/people/{id}`: suspends a person's account, which ends their sessions, or restores it.

use domain::UserId;
use domain::status::Standing;
use schemars::JsonSchema;
use serde::Deserialize;

use super::PersonView;
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdatePerson {
    standing: Standing,
}

pub(crate) async fn update(
    operator: Operator,
    Path(id): Path<UserId>,
    expected: IfMatch,
    Body(body): Body<UpdatePerson>,
) -> Result<Versioned<Found<PersonView>>> {
    let by = operator.person();
    let (house, user, origin) = (by.house(), by.user(), by.origin());
    let (tx, person) =
        tenancy::operator::set_standing(house, user, origin, id, expected.version(), body.standing).await?;
    by.commit(tx, Versioned(person.version, Found(person.into()))).await
}
