//! Signing up: a person and their personal organisation.

use domain::email::Email;
use domain::password::NewPassword;
use domain::status::Standing;
use domain::text::{OrgName, PersonName};
use store::audit::Event;
use store::control::organisations::Organisation;
use store::control::people::{self, Person};
use store::{Actor, Origin, Turn};

use crate::login::{self, Tokens};
use crate::{Error, House, Result, orgs};

/// Who signs up.
#[derive(Debug)]
pub struct Newcomer {
    /// Their mail address.
    pub email: Email,
    /// Their password.
    pub password: NewPassword,
    /// What they are called.
    pub name: PersonName,
    /// What their organisation is called; after the person when left out.
    pub organisation: Option<OrgName>,
}

/// A person who has signed up.
#[derive(Debug)]
pub struct SignedUp {
    /// The person.
    pub person: Person,
    /// Their personal organisation.
    pub organisation: Organisation,
    /// They are signed in right away.
    pub tokens: Tokens,
}

/// Signs a person up and in, at once: for installations that do not verify mail addresses first.
/// # Errors
/// [`store::Error::Taken`] when the address is in use; [`Error::Invalid`] when the password is too easy to guess.
pub async fn immediately(house: &House, newcomer: Newcomer, origin: &Origin) -> Result<SignedUp> {
    let (person, organisation) = create(house, newcomer, true, origin).await?;
    let tokens = login::start_tokens(house, &person, Some(organisation.id), origin).await?;
    Ok(SignedUp { person, organisation, tokens })
}

/// Makes the person and the organisation.
async fn create(house: &House, newcomer: Newcomer, verified: bool, origin: &Origin) -> Result<(Person, Organisation)> {
    let Newcomer { email, password, name, organisation } = newcomer;
    let too_easy =
        |error: domain::password::InvalidPassword| Error::Invalid { field: "password", rule: error.to_string() };
    password.check_against(&email).map_err(too_easy)?;
    let hash = house.passwords.hash(password.expose()).await?;
    let ambient = house.store.ambient();
    let now = ambient.now();
    let person = Person {
        id: ambient.id(),
        email,
        name,
        password_hash: Some(hash),
        standing: Standing::Active,
        operator: false,
        verified_at: verified.then_some(now),
        totp_seed: None,
        totp_on_at: None,
        totp_step: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let organisation = match organisation {
        Some(name) => name,
        None => OrgName::new(person.name.as_str())
            .map_err(|error| Error::Invalid { field: "name", rule: error.to_string() })?,
    };
    let mut tx = house.store.begin_control(Turn::Free).await?;
    people::insert(&mut tx, &person).await?;
    let organisation = orgs::insert(house, &mut tx, person.id, organisation, true, origin).await?;
    tx.record_house(&Actor::Person(person.id), origin, Event::new("person.signed_up", person.id).after(&person))
        .await?;
    tx.commit().await?;
    orgs::finish(house, organisation.id).await?;
    Ok((person, Organisation { status: domain::status::OrgStatus::Active, ..organisation }))
}
