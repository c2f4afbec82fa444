//! `GET /api/v1/operator/people/{id}`: shows a person.

use domain::UserId;
use store::control::people;

use super::PersonView;
use crate::http::body::Path;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(operator: Operator, Path(id): Path<UserId>) -> Result<Versioned<Found<PersonView>>> {
    let mut tx = operator.person().store().read_control().await?;
    let person = people::get(&mut tx, id).await?;
    Ok(Versioned(person.version, Found(person.into())))
}
