//! The devices where a person is signed in: showing and ending them, and showing a factor again in one.

use std::time::Duration;

use domain::password::Password;
use domain::secret::SecretText;
use domain::{SessionId, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::sessions::{self, Session};
use store::keys::sha256;
use store::{Actor, Origin, SessionView, Turn};

pub use crate::login::new_secret;
use crate::{Error, House, Result, factors, login};

/// The living sessions of a person, the newest first.
/// # Errors
/// As the database.
pub async fn list(house: &House, user: UserId) -> Result<Vec<Session>> {
    let now = house.store.ambient().now();
    let mut tx = house.store.read_control().await?;
    let mut sessions = sessions::list(&mut tx, user).await?;
    // A family whose refresh token has expired unused cannot go on, whatever its own end is.
    let unused = house.rules.refresh_idle + house.rules.access_lifetime;
    sessions.retain(|session| !session.is_idle(now) && now.since(session.seen_at) <= unused);
    Ok(sessions)
}

/// Ends a session of a person: its tokens fail from the next call on.
/// # Errors
/// [`store::Error::NotFound`] when the person has no such living session.
pub async fn end(house: &House, user: UserId, session: SessionId, origin: &Origin) -> Result<()> {
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    if !sessions::revoke(&mut tx, user, session).await? {
        return Err(store::Error::NotFound("session").into());
    }
    let event = Event::new("session.ended", session);
    login::record_about(&mut tx, user, &Actor::Person(user), origin, &event).await?;
    Ok(tx.commit().await?)
}

/// Ends all sessions of a person but one.
/// # Errors
/// As the database.
pub async fn end_others(house: &House, user: UserId, but: SessionId, origin: &Origin) -> Result<()> {
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let ended = sessions::revoke_all(&mut tx, user, Some(but)).await?;
    let event = Event::new("session.others_ended", but).detail(json!({ "ended": ended }));
    login::record_about(&mut tx, user, &Actor::Person(user), origin, &event).await?;
    Ok(tx.commit().await?)
}

/// Ends the session that a refresh token belongs to, if it is the person's; anything else is let be.
/// # Errors
/// As the database.
pub async fn end_by_refresh(house: &House, user: UserId, token: &SecretText, origin: &Origin) -> Result<()> {
    let mut tx = house.store.read_control().await?;
    let found = sessions::find_refresh(&mut tx, &sha256(token.expose())).await?;
    drop(tx);
    match found.filter(|token| token.user_id == user && token.revoked_at.is_none()) {
        Some(token) => end(house, user, token.session_id, origin).await,
        None => Ok(()),
    }
}

/// The new secret of a browser session.
#[derive(Debug)]
pub struct Renewed {
    /// The cookie's value.
    pub secret: String,
    /// How long the browser keeps the cookie; as long as it is open when there is none.
    pub keep: Option<Duration>,
}

/// Takes a factor that somebody who is signed in shows again: a password, a code, or both. A browser session gets a new secret with
/// it, so that one copied earlier gains nothing.
/// # Errors
/// [`Error::Credentials`] when any of it is wrong; [`Error::Invalid`] when nothing is shown.
pub async fn step_up(
    house: &House,
    user: UserId,
    session: SessionView,
    password: Option<&Password>,
    code: Option<&SecretText>,
    origin: &Origin,
) -> Result<Option<Renewed>> {
    if password.is_none() && code.is_none() {
        return Err(Error::Invalid { field: "password", rule: "give a password or a code".into() });
    }
    let person = login::person(house, user).await?;
    let counted = match password {
        Some(password) => Some(login::prove_password(house, &person, password, origin).await?),
        None => None,
    };
    if let Some(code) = code {
        factors::prove_code(house, &person, code, origin).await?;
    }
    let now = house.store.ambient().now();
    let renewed = session.browser.then(|| Renewed {
        secret: login::new_secret(house),
        keep: session.remembered_until.map(|until| until.since(now)),
    });
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    if let Some(counted) = counted {
        counted.was_right(&mut tx).await?;
    }
    sessions::prove(&mut tx, session.id).await?;
    if let Some(renewed) = &renewed {
        sessions::renew_secret(&mut tx, session.id, &sha256(&renewed.secret)).await?;
    }
    login::record_everywhere(&mut tx, &person, origin, &Event::new("session.proven", session.id)).await?;
    tx.commit().await?;
    Ok(renewed)
}
