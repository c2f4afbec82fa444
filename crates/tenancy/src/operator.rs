//! Operators: people who run the installation. The first one is made on the machine itself.

use domain::email::Email;
use domain::password::NewPassword;
use domain::status::Standing;
use domain::text::PersonName;
use domain::{OrgId, UserId};
use store::audit::Event;
use store::control::people::{self, Person};
use store::control::{memberships, sessions};
use store::{Actor, ControlTx, Error as StoreError, Origin, Turn};

use crate::{Error, House, Result, leaving};

/// Makes an operator with an account of their own. They belong to no organisation; their address counts as verified.
/// # Errors
/// [`StoreError::Taken`] when the address is in use; [`Error::Invalid`] when the password is too easy to guess.
pub async fn create(house: &House, email: Email, name: PersonName, password: NewPassword) -> Result<Person> {
    let too_easy =
        |error: domain::password::InvalidPassword| Error::Invalid { field: "password", rule: error.to_string() };
    password.check_against(&email).map_err(too_easy)?;
    let hash = house.passwords.hash(password.expose()).await?;
    let ambient = house.store.ambient();
    let person = Person {
        password_hash: Some(hash),
        operator: true,
        verified_at: Some(ambient.now()),
        ..Person::new(ambient, email, name)
    };
    let mut tx = house.store.begin_control(Turn::Free).await?;
    people::insert(&mut tx, &person).await?;
    let event = Event::new("operator.created", person.id).after(&person);
    tx.record_house(&Actor::System, &Origin::default(), event).await?;
    tx.commit().await?;
    Ok(person)
}

/// Suspends a person's account, or restores it; either ends a deletion that is under way, and with it the closing of their organisations.
/// A suspension ends all their sessions; their keys do nothing while it lasts. The transaction is ready to be committed.
/// # Errors
/// [`StoreError::NotFound`] when there is no such person; [`Error::Conflict`] when an operator would suspend themself, and
/// for an account that is being erased;
/// [`StoreError::Stale`] when the person is of another version than expected.
pub async fn set_standing(
    house: &House,
    operator: UserId,
    origin: &Origin,
    user: UserId,
    expected: Option<i64>,
    standing: Standing,
) -> Result<(ControlTx, Person)> {
    if user == operator && standing != Standing::Active {
        return Err(Error::Conflict("You cannot suspend yourself.".into()));
    }
    let actor = Actor::Operator(operator);
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let before = people::get(&mut tx, user).await?;
    if expected.is_some_and(|version| version != before.version) {
        return Err(StoreError::Stale("person").into());
    }
    leaving::still_whole(&mut tx, user).await?;
    if standing == Standing::Active && before.ends_at.is_some() {
        let person = leaving::restore(&mut tx, before, &actor, origin).await?;
        return Ok((tx, person));
    }
    // A suspension holds until it is taken back: a deletion that was under way is off, of the account and of what was to close with it.
    people::update(&mut tx, &Person { standing, ends_at: None, ends_by: None, ..before.clone() }).await?;
    leaving::call_off(&mut tx, &before, &actor, origin).await?;
    // Keys are cached with their maker's standing.
    tx.shift_authority();
    if standing != Standing::Active {
        sessions::revoke_all(&mut tx, user, None).await?;
    }
    let person = people::get(&mut tx, user).await?;
    let action = if standing == Standing::Active { "person.restored" } else { "person.suspended" };
    let event = Event::new(action, user).before(&before).after(&person);
    for org in memberships::orgs_of(&mut tx, user).await? {
        tx.record(org, &actor, origin, event.clone()).await?;
    }
    tx.record_house(&actor, origin, event).await?;
    Ok((tx, person))
}

/// Records what an operator does to an organisation, in its log and in the installation's.
/// # Errors
/// As the database.
pub async fn record(
    tx: &mut ControlTx,
    operator: UserId,
    origin: &Origin,
    org: OrgId,
    event: Event,
) -> store::Result<()> {
    let actor = Actor::Operator(operator);
    tx.record(org, &actor, origin, event.clone()).await?;
    tx.record_house(&actor, origin, event).await
}
