//! Signing in: a password, perhaps a code of the second factor, then a session.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use domain::email::Email;
use domain::password::Password;
use domain::secret::SecretText;
use domain::status::Standing;
use domain::text::PersonName;
use domain::{OrgId, SessionId, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::people::{self, Person};
use store::control::sessions::NewSession;
use store::control::{memberships, organisations, sessions};
use store::keys::sha256;
use store::tokens::{self, Claims};
use store::{Actor, ControlTx, Origin, Turn};

use crate::passwords::{Place, Verdict};
use crate::throttle::{Try, Whence};
use crate::{Error, House, Result, devices, factors, leaving, mail_address};

/// How long a browser session lives at the most.
const BROWSER: Duration = Duration::from_hours(24);
/// How long it lives when its owner asks to stay signed in.
pub const REMEMBERED: Duration = Duration::from_hours(30 * 24);

/// What somebody shows to get in.
#[derive(Debug)]
pub struct SignIn {
    /// Their mail address.
    pub email: Email,
    /// Their password.
    pub password: Password,
    /// A code of their second factor, or a recovery code.
    pub code: Option<SecretText>,
    /// The mark of the device, if it carries one: see [`crate::devices`].
    pub device: Option<String>,
}

/// Somebody who has shown all that it takes; now a session can begin.
#[derive(Debug)]
pub struct Admitted {
    person: Person,
    counted: Try,
}

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

/// A session in a browser.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub person: Person,
    /// The cookie's value.
    pub secret: String,
    /// How long the browser keeps the cookie; as long as it is open when there is none.
    pub keep: Option<Duration>,
}

/// Checks what somebody shows. A failure is counted, and recorded in the logs of the organisations whose member was aimed at.
/// # Errors
/// [`Error::Credentials`] when it does not fit, the same for unknown addresses, in the same time; [`Error::CodeNeeded`] when the
/// password is right and the second factor is on; [`Error::Forbidden`] when the mail address must be verified first;
/// [`Error::Throttled`] after too many failures.
pub async fn admit(house: &House, sign_in: SignIn, origin: &Origin) -> Result<Admitted> {
    let place = house.passwords.place()?;
    let mut tx = house.store.read_control().await?;
    let found = people::find_by_email(&mut tx, &sign_in.email).await?;
    drop(tx);
    let user = found.as_ref().map(|person| person.id);
    let now = house.store.ambient().now();
    let device = user.zip(sign_in.device).and_then(|(user, mark)| devices::recognise(house, &mark, user, now));
    let whence = device.map_or(Whence::Anywhere, Whence::Device);
    let counted = Try::charge(house, &sign_in.email, &whence, origin).await?;
    let checked = match check_password(house, place, found, &sign_in.password).await {
        Ok(person) => check_rest(house, &counted, person, sign_in.code, origin).await.map_err(|error| (error, "code")),
        Err(error) => Err((error, "password")),
    };
    match checked {
        // Who signs in wants to keep the account.
        Ok(person) if person.ends_at.is_some() => {
            Ok(Admitted { person: leaving::come_back(house, person.id, origin).await?, counted })
        }
        Ok(person) => Ok(Admitted { person, counted }),
        Err((error, what)) => {
            if let Error::Credentials = error {
                refused(house, user, what, origin).await?;
            }
            Err(error)
        }
    }
}

/// All but the password.
async fn check_rest(
    house: &House,
    counted: &Try,
    person: Person,
    code: Option<SecretText>,
    origin: &Origin,
) -> Result<Person> {
    if house.rules.verify_mail && person.verified_at.is_none() {
        let mut tx = house.store.begin_control(Turn::Person(person.id)).await?;
        counted.was_right(&mut tx).await?;
        mail_address::ask_to_verify(house, &mut tx, &person, origin).await?;
        tx.commit().await?;
        return Err(Error::Forbidden("Verify your mail address first: open the link that was mailed to it.".into()));
    }
    if person.totp_on_at.is_none() {
        return Ok(person);
    }
    let Some(code) = code else {
        let mut tx = house.store.begin_control(Turn::Free).await?;
        counted.was_right(&mut tx).await?;
        tx.commit().await?;
        return Err(Error::CodeNeeded);
    };
    factors::check_code(house, &person, &code, origin).await?;
    Ok(person)
}

/// Checks the password of somebody known or unknown, with the same work; a hash with too little cost is replaced.
pub(crate) async fn check_password(
    house: &House,
    place: Place,
    person: Option<Person>,
    password: &Password,
) -> Result<Person> {
    let hash = person.as_ref().and_then(|person| person.password_hash.clone());
    let verdict = house.passwords.verify_in(place, password.expose(), hash.clone()).await?;
    let now = house.store.ambient().now();
    let may_enter = |person: &Person| person.standing == Standing::Active || leaving::can_come_back(person, now);
    let person = person.filter(|person| verdict != Verdict::Wrong && may_enter(person));
    let (mut person, old) = person.zip(hash).ok_or(Error::Credentials)?;
    if verdict == Verdict::Outdated {
        let new = house.passwords.hash(password.expose()).await?;
        let mut tx = house.store.begin_control(Turn::Person(person.id)).await?;
        if people::rehash(&mut tx, person.id, &old, &new).await? {
            let event = Event::new("person.password_rehashed", person.id);
            tx.record_house(&Actor::Person(person.id), &Origin::default(), event).await?;
            tx.commit().await?;
            person.password_hash = Some(new);
        } else {
            // Another sign-in was faster.
            person.password_hash = people::get(&mut tx, person.id).await?.password_hash;
            drop(tx);
            let verdict = house.passwords.verify(password.expose(), person.password_hash.clone()).await?;
            if verdict == Verdict::Wrong {
                return Err(Error::Credentials);
            }
        }
    }
    Ok(person)
}

/// Checks the password of somebody who is signed in; a failure is counted and recorded. What is given back must be told when the
/// password took effect.
pub(crate) async fn prove_password(
    house: &House,
    person: &Person,
    password: &Password,
    origin: &Origin,
) -> Result<Try> {
    let place = house.passwords.place()?;
    let counted = Try::charge(house, &person.email, &Whence::Session, origin).await?;
    let checked = check_password(house, place, Some(person.clone()), password).await;
    if let Err(Error::Credentials) = checked {
        refused(house, Some(person.id), "password", origin).await?;
    }
    checked.map(|_| counted)
}

/// The person of a session.
pub(crate) async fn person(house: &House, user: UserId) -> Result<Person> {
    let mut tx = house.store.read_control().await?;
    Ok(people::get(&mut tx, user).await?)
}

/// Records that somebody was refused. Unknown accounts leave an entry too: the same work, and a trace of who guesses addresses.
pub(crate) async fn refused(house: &House, user: Option<UserId>, what: &'static str, origin: &Origin) -> Result<()> {
    let mut tx = house.store.begin_control(Turn::Free).await?;
    let object = user.map_or_else(|| UNKNOWN.to_owned(), |user| user.to_string());
    let event = Event::new("session.refused", object).detail(json!({ "wrong": what }));
    match user {
        Some(user) => record_about(&mut tx, user, &Actor::System, origin, &event).await?,
        None => record_about_nobody(house, &mut tx, origin, &event).await?,
    }
    Ok(tx.commit().await?)
}

/// What the log of the installation calls somebody whom it does not know.
pub(crate) const UNKNOWN: &str = "unknown account";

/// Somebody who is not there, with whom the same work can be done; nothing of it is kept.
pub(crate) fn nobody(house: &House, email: &Email) -> Result<Person> {
    let name = PersonName::new("Nobody").map_err(|rule| Error::Invalid { field: "name", rule: rule.to_string() })?;
    Ok(Person::new(house.store.ambient(), email.clone(), name))
}

/// Records an event about nobody known in the installation's log, with the work that it is for a person of one organisation.
pub(crate) async fn record_about_nobody(
    house: &House,
    tx: &mut ControlTx,
    origin: &Origin,
    event: &Event,
) -> Result<()> {
    memberships::orgs_of(tx, house.store.ambient().id()).await?;
    tx.record_nowhere(&Actor::System, origin, event.clone()).await?;
    tx.record_house(&Actor::System, origin, event.clone()).await?;
    Ok(())
}

impl Admitted {
    /// Starts a family of tokens.
    /// # Errors
    /// [`Error::Credentials`] when the password was changed or the person suspended meanwhile.
    pub async fn tokens(self, house: &House, origin: &Origin) -> Result<Tokens> {
        tokens_for(house, &self.person, None, Some(&self.counted), origin).await
    }

    /// Starts a session in a browser.
    /// # Errors
    /// [`Error::Credentials`] when the password was changed or the person suspended meanwhile.
    pub async fn browser(self, house: &House, remember: bool, origin: &Origin) -> Result<Browser> {
        let secret = new_secret(house);
        let session = NewSession {
            secret_hash: Some(sha256(&secret)),
            ..new_session(house, &self.person, None, if remember { REMEMBERED } else { BROWSER }, origin)
        };
        let mut tx = begin_session(house, &self.person, &session, Some(&self.counted)).await?;
        record_everywhere(&mut tx, &self.person, origin, &Event::new("session.started", session.id)).await?;
        tx.commit().await?;
        let keep = remember.then_some(REMEMBERED);
        Ok(Browser { session: session.id, person: self.person, secret, keep })
    }
}

/// Starts a family of tokens for a person who has shown who they are.
/// # Errors
/// As the database.
pub async fn start_tokens(house: &House, person: &Person, org: Option<OrgId>, origin: &Origin) -> Result<Tokens> {
    tokens_for(house, person, org, None, origin).await
}

async fn tokens_for(
    house: &House,
    person: &Person,
    org: Option<OrgId>,
    counted: Option<&Try>,
    origin: &Origin,
) -> Result<Tokens> {
    let session = new_session(house, person, org, house.rules.refresh_longest, origin);
    let lifetime = access_lifetime(house, person.id, org).await?;
    let access = tokens::sign(&house.store, Claims { user: person.id, session: session.id, org }, lifetime).await?;
    let refresh = new_secret(house);
    let ends = house.store.ambient().now() + house.rules.refresh_idle;
    let mut tx = begin_session(house, person, &session, counted).await?;
    sessions::insert_refresh(&mut tx, &sha256(&refresh), session.id, ends).await?;
    record_everywhere(&mut tx, person, origin, &Event::new("session.started", session.id)).await?;
    tx.commit().await?;
    Ok(Tokens { session: session.id, access, refresh, lifetime })
}

/// How long an access token lives: as the installation says, or the organisation where its session works if that is less. Other
/// organisations that the person selects hold their own limits against it.
pub(crate) async fn access_lifetime(house: &House, user: UserId, org: Option<OrgId>) -> Result<Duration> {
    let mut tx = house.store.read_control().await?;
    let lifetimes = organisations::lifetimes_for(&mut tx, user, org).await?;
    Ok(lifetimes.access_token(house.rules.access_lifetime))
}

fn new_session(house: &House, person: &Person, org: Option<OrgId>, longest: Duration, origin: &Origin) -> NewSession {
    let ambient = house.store.ambient();
    NewSession {
        id: ambient.id(),
        user: person.id,
        org,
        secret_hash: None,
        agent: origin.agent.clone(),
        address: origin.address.clone(),
        expires_at: ambient.now() + longest,
    }
}

/// Adds a session, unless the person's password, second factor or standing was changed since they were checked.
async fn begin_session(
    house: &House,
    person: &Person,
    session: &NewSession,
    counted: Option<&Try>,
) -> Result<ControlTx> {
    let mut tx = house.store.begin_control(Turn::Person(person.id)).await?;
    let now = people::find(&mut tx, person.id).await?;
    let same = |now: &Person| {
        now.password_hash == person.password_hash
            && now.totp_on_at == person.totp_on_at
            && now.standing == Standing::Active
    };
    if !now.as_ref().is_some_and(same) {
        return Err(Error::Credentials);
    }
    if let Some(counted) = counted {
        counted.was_right(&mut tx).await?;
    }
    sessions::insert(&mut tx, session).await?;
    Ok(tx)
}

/// A secret of 256 bits as text.
#[must_use]
pub fn new_secret(house: &House) -> String {
    B64.encode(house.store.ambient().bytes::<32>())
}

/// Records what a person did with their account in the log of each organisation they belong to, and in the installation's.
/// # Errors
/// As the database.
pub async fn record_everywhere(tx: &mut ControlTx, person: &Person, origin: &Origin, event: &Event) -> Result<()> {
    record_about(tx, person.id, &Actor::Person(person.id), origin, event).await
}

/// Records an event about a person in the log of each organisation they belong to, and in the installation's.
pub(crate) async fn record_about(
    tx: &mut ControlTx,
    user: UserId,
    actor: &Actor,
    origin: &Origin,
    event: &Event,
) -> Result<()> {
    for org in memberships::orgs_of(tx, user).await? {
        tx.record(org, actor, origin, event.clone()).await?;
    }
    tx.record_house(actor, origin, event.clone()).await?;
    Ok(())
}
