//! Signing in: a password, perhaps a second factor, then a session.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use domain::email::Email;
use domain::password::Password;
use domain::status::Standing;
use domain::{OrgId, SessionId};
use store::audit::Event;
use store::control::people::{self, Person};
use store::control::{memberships, sessions};
use store::keys::sha256;
use store::tokens::{self, Claims};
use store::{Actor, ControlTx, Origin, Turn};

use crate::passwords::Verdict;
use crate::{Error, House, Result};

/// An access token and the refresh token behind it.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The session both belong to.
    pub session: SessionId,
    /// The access token, a JWT.
    pub access: String,
    /// The refresh token; used once.
    pub refresh: String,
    /// How long the access token lives.
    pub lifetime: Duration,
}

/// Checks a mail address and a password.
/// # Errors
/// [`Error::Credentials`] when they do not fit; the same for unknown addresses, in the same time.
pub async fn check_password(house: &House, email: &Email, password: &Password) -> Result<Person> {
    let mut tx = house.store.read_control().await?;
    let person = people::find_by_email(&mut tx, email).await?;
    drop(tx);
    let hash = person.as_ref().and_then(|person| person.password_hash.clone());
    let verdict = house.passwords.verify(password.expose(), hash).await?;
    let mut person = person.filter(|_| verdict != Verdict::Wrong).ok_or(Error::Credentials)?;
    if person.standing != Standing::Active {
        return Err(Error::Credentials);
    }
    if verdict == Verdict::Outdated {
        person.password_hash = Some(house.passwords.hash(password.expose()).await?);
        let mut tx = house.store.begin_control(Turn::Person(person.id)).await?;
        people::update(&mut tx, &person).await?;
        let event = Event::new("person.password_rehashed", person.id);
        tx.record_house(&Actor::Person(person.id), &Origin::default(), event).await?;
        tx.commit().await?;
        person.version += 1;
    }
    Ok(person)
}

/// Starts a family of tokens for a person who has shown who they are.
/// # Errors
/// As the database.
pub async fn start_tokens(house: &House, person: &Person, org: Option<OrgId>, origin: &Origin) -> Result<Tokens> {
    let ambient = house.store.ambient();
    let now = ambient.now();
    let session: SessionId = ambient.id();
    let lifetime = house.rules.access_lifetime;
    let access = tokens::sign(&house.store, Claims { user: person.id, session, org }, lifetime).await?;
    let refresh = new_secret(house);
    let mut tx = house.store.begin_control(Turn::Person(person.id)).await?;
    let new = sessions::NewSession {
        id: session,
        user: person.id,
        org,
        secret_hash: None,
        agent: origin.agent.clone(),
        address: origin.address.clone(),
        expires_at: now + house.rules.refresh_longest,
    };
    sessions::insert(&mut tx, &new).await?;
    sessions::insert_refresh(&mut tx, &sha256(&refresh), session, now + house.rules.refresh_idle).await?;
    record_everywhere(&mut tx, person, origin, &Event::new("session.started", session)).await?;
    tx.commit().await?;
    Ok(Tokens { session, access, refresh, lifetime })
}

/// A secret of 256 bits as text.
pub(crate) fn new_secret(house: &House) -> String {
    B64.encode(house.store.ambient().bytes::<32>())
}

/// Records an event about a person in the log of each organisation they belong to, and in the installation's.
pub(crate) async fn record_everywhere(
    tx: &mut ControlTx,
    person: &Person,
    origin: &Origin,
    event: &Event,
) -> Result<()> {
    let actor = Actor::Person(person.id);
    for org in memberships::orgs_of(tx, person.id).await? {
        tx.record(org, &actor, origin, event.clone()).await?;
    }
    tx.record_house(&actor, origin, event.clone()).await?;
    Ok(())
}
