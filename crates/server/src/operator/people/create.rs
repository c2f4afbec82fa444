//! `POST /api/v1/operator/people`: enrols a person.

use domain::email::Email;
use domain::secret::SecretText;
use domain::text::{OrgName, PersonName};
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::enrolment::{self, Enrolment};
use tenancy::imported_hash::ImportedHash;
use tenancy::orgs;

use super::PersonView;
use crate::http::body::Body;
use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::{Created, Versioned};

/// Whom to enrol.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreatePerson {
    email: Email,
    name: PersonName,
    /// What their organisation is called; after the person when left out.
    organization_name: Option<OrgName>,
    /// The hash of the password that they had elsewhere, in argon2id's PHC form or in bcrypt's; a weaker one is replaced when they
    /// sign in. Without it they get a letter by which they set a password within three days.
    password_hash: Option<SecretText>,
    /// Whether you know the address to be theirs; otherwise they show it before they sign in.
    #[serde(default)]
    verified: bool,
}

/// The answer is stored with the first rows, before the organisation's store is made: a repetition enrols nobody twice.
pub(crate) async fn create(
    operator: Operator,
    Body(body): Body<CreatePerson>,
) -> Result<Versioned<Created<PersonView>>> {
    let by = operator.person();
    let password = body.password_hash.map(|hash| ImportedHash::new(hash.expose())).transpose()?;
    let CreatePerson { email, name, organization_name: organisation, verified, .. } = body;
    let enrolment = Enrolment { email, name, organisation, password, verified };
    let (tx, person, org) = enrolment::enrol(by.house(), by.user(), by.origin(), enrolment).await?;
    let reply = by.commit(tx, Versioned(person.version, Created(person.into()))).await?;
    orgs::finish(by.house(), org).await?;
    Ok(reply)
}
