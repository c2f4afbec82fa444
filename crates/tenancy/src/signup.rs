//! Signing up: a person and their personal organisation.

use domain::email::Email;
use domain::password::NewPassword;
use domain::status::OrgStatus;
use domain::text::{OrgName, PersonName};
use store::audit::Event;
use store::control::mails;
use store::control::organisations::Organisation;
use store::control::people::{self, Person};
use store::{Actor, ControlTx, Origin, Turn};

use crate::login::{self, Tokens};
use crate::passwords::Verdict;
use crate::{Error, House, Result, letters, mail_address, orgs, throttle};

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
/// [`store::Error::Taken`] when the address is in use; [`Error::Invalid`] when the password is too easy to guess;
/// [`Error::Throttled`] after too many sign-ups from one source.
pub async fn immediately(house: &House, newcomer: Newcomer, origin: &Origin) -> Result<SignedUp> {
    let organisation = check(&newcomer)?;
    throttle::charge_sign_up(house, origin).await?;
    let hash = house.passwords.hash(newcomer.password.expose()).await?;
    let mut tx = house.store.begin_control(Turn::Free).await?;
    let (person, organisation) = create(house, &mut tx, newcomer, organisation, hash, true, origin).await?;
    tx.commit().await?;
    orgs::finish(house, organisation.id).await?;
    let tokens = login::start_tokens(house, &person, Some(organisation.id), origin).await?;
    Ok(SignedUp { person, organisation: Organisation { status: OrgStatus::Active, ..organisation }, tokens })
}

/// Signs a person up by mail. Nobody learns from the answer, nor from the time it takes, whether the address is known: each case
/// costs one hash, one commit and one mail. An organisation's store is made after the address is verified, or by the sweeper.
/// # Errors
/// [`Error::Invalid`] when the password is too easy to guess; [`Error::Throttled`] after too many requests for mails from one source.
pub async fn by_mail(house: &House, newcomer: Newcomer, origin: &Origin) -> Result<()> {
    let organisation = check(&newcomer)?;
    let mut tx = house.store.begin_control(Turn::Free).await?;
    throttle::charge_mail_request(&mut tx, house, origin).await?;
    tx.commit().await?;
    let mut tx = house.store.read_control().await?;
    let known = people::find_by_email(&mut tx, &newcomer.email).await?;
    drop(tx);
    if let Some(person) = known {
        return again(house, person, &newcomer, origin).await;
    }
    let hash = house.passwords.hash(newcomer.password.expose()).await?;
    let mut tx = house.store.begin_control(Turn::Free).await?;
    match create(house, &mut tx, newcomer, organisation, hash, false, origin).await {
        Ok((person, _)) => {
            mail_address::ask_to_verify(house, &mut tx, &person, origin).await?;
            Ok(tx.commit().await?)
        }
        // Another sign-up with this address was faster: its mail is on the way.
        Err(Error::Store(store::Error::Taken("email"))) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Somebody signs up with an address that is known.
async fn again(house: &House, known: Person, newcomer: &Newcomer, origin: &Origin) -> Result<()> {
    let verified = known.verified_at.is_some();
    // One hash in each case; for an account that waits for verification it says whether the same person is asking.
    let stored = known.password_hash.clone().filter(|_| !verified);
    let verdict = house.passwords.verify(newcomer.password.expose(), stored).await?;
    let mut tx = house.store.begin_control(Turn::Person(known.id)).await?;
    let mut person = people::get(&mut tx, known.id).await?;
    let event = Event::new("person.signed_up_again", person.id);
    if person.verified_at.is_some() {
        if throttle::may_mail(&mut tx, house, "account exists", &person.email).await? {
            mails::queue(&mut tx, letters::account_exists(house, &person, origin)).await?;
        }
    } else {
        // Two who do not know the same password want this address. Neither password counts: whoever opens the mail sets one.
        if verdict == Verdict::Wrong && person.password_hash.is_some() {
            person.password_hash = None;
            people::update(&mut tx, &person).await?;
        }
        mail_address::ask_to_verify(house, &mut tx, &person, origin).await?;
    }
    tx.record_house(&Actor::System, origin, event).await?;
    Ok(tx.commit().await?)
}

/// Checks what a type alone cannot, and names the organisation.
fn check(newcomer: &Newcomer) -> Result<OrgName> {
    let invalid = |field, error: String| Error::Invalid { field, rule: error };
    newcomer.password.check_against(&newcomer.email).map_err(|error| invalid("password", error.to_string()))?;
    match &newcomer.organisation {
        Some(name) => Ok(name.clone()),
        None => OrgName::new(newcomer.name.as_str()).map_err(|error| invalid("name", error.to_string())),
    }
}

/// Writes the rows of the person and the organisation.
async fn create(
    house: &House,
    tx: &mut ControlTx,
    newcomer: Newcomer,
    organisation: OrgName,
    hash: String,
    verified: bool,
    origin: &Origin,
) -> Result<(Person, Organisation)> {
    let ambient = house.store.ambient();
    let now = ambient.now();
    let person = Person {
        password_hash: Some(hash),
        verified_at: verified.then_some(now),
        ..Person::new(ambient, newcomer.email, newcomer.name)
    };
    people::insert(tx, &person).await?;
    let organisation = orgs::insert(house, tx, person.id, organisation, true, origin).await?;
    let event = Event::new("person.signed_up", person.id).after(&person);
    tx.record_house(&Actor::Person(person.id), origin, event).await?;
    Ok((person, organisation))
}
