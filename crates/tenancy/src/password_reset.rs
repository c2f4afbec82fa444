//! New passwords: by a link that was mailed, or by somebody who is signed in.

use domain::email::Email;
use domain::password::{NewPassword, Password};
use domain::secret::SecretText;
use domain::status::Standing;
use domain::{SessionId, UserId};
use store::audit::Event;
use store::control::people::{self, Person};
use store::control::tickets::{self, Purpose};
use store::control::{mails, sessions};
use store::{Actor, ControlTx, Origin, Turn};

use crate::{Error, House, Result, letters, links, login, throttle};

/// Mails a link for a new password to an address, if it is somebody's. The same work if it is nobody's.
/// # Errors
/// [`Error::Throttled`] when too many mails are asked for from one source.
pub async fn forgot(house: &House, email: &Email, origin: &Origin) -> Result<()> {
    let mut tx = house.store.begin_control(Turn::Free).await?;
    throttle::charge_mail_request(&mut tx, house, origin).await?;
    let person = people::find_by_email(&mut tx, email).await?.filter(|person| person.standing == Standing::Active);
    let may = throttle::may_mail(&mut tx, house, "reset", email).await?;
    if may {
        let (is_known, person) = (person.is_some(), person.map_or_else(|| login::nobody(house, email), Ok)?);
        let (token, until) = links::issue(house, &mut tx, Purpose::Reset, person.id, &person.email).await?;
        mails::queue(&mut tx, letters::reset(house, &person, &token, until, origin)).await?;
        if is_known {
            let event = Event::new("person.password_forgotten", person.id);
            login::record_about(&mut tx, person.id, &Actor::System, origin, &event).await?;
        } else {
            let event = Event::new("person.password_forgotten", login::UNKNOWN);
            login::record_about_nobody(house, &mut tx, origin, &event).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Sets a new password with a mailed link, which shows the address to be the person's, too. All sessions end, and a change of the
/// mail address that waits for confirmation is off.
/// # Errors
/// [`Error::Ticket`] when the link is not valid; [`Error::Invalid`] when the password is too easy to guess.
pub async fn reset(house: &House, token: &SecretText, new: &NewPassword, origin: &Origin) -> Result<()> {
    let ticket = links::find(house, Purpose::Reset, token).await?;
    let hash = hash(house, "password", new, &ticket.email).await?;
    let mut tx = house.store.begin_control(Turn::Person(ticket.user_id)).await?;
    let ticket = links::take(&mut tx, Purpose::Reset, token).await?;
    let person = people::get(&mut tx, ticket.user_id).await?;
    if person.email != ticket.email || person.standing != Standing::Active {
        return Err(Error::Ticket);
    }
    let verified_at = person.verified_at.or(Some(house.store.ambient().now()));
    set(house, &mut tx, Person { verified_at, ..person }, hash, None, "person.password_reset", origin).await?;
    Ok(tx.commit().await?)
}

/// Sets a new password for somebody who is signed in; their other sessions end. The current one is checked when it is given; without
/// it the caller must have shown a factor of late.
/// # Errors
/// [`Error::Credentials`] when the current one is wrong; [`Error::Invalid`] when the new one is too easy to guess.
pub async fn change(
    house: &House,
    user: UserId,
    session: SessionId,
    current: Option<&Password>,
    new: &NewPassword,
    origin: &Origin,
) -> Result<()> {
    let person = login::person(house, user).await?;
    let counted = match current {
        Some(current) => Some(login::prove_password(house, &person, current, origin).await?),
        None => None,
    };
    let hash = hash(house, "new", new, &person.email).await?;
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    if let Some(counted) = counted {
        counted.was_right(&mut tx).await?;
    }
    let person = people::get(&mut tx, user).await?;
    set(house, &mut tx, person, hash, Some(session), "person.password_changed", origin).await?;
    Ok(tx.commit().await?)
}

async fn hash(house: &House, field: &'static str, new: &NewPassword, email: &Email) -> Result<String> {
    new.check_against(email).map_err(|error| Error::Invalid { field, rule: error.to_string() })?;
    house.passwords.hash(new.expose()).await
}

/// Writes a new password, with all that follows from it.
async fn set(
    house: &House,
    tx: &mut ControlTx,
    person: Person,
    hash: String,
    keep: Option<SessionId>,
    action: &'static str,
    origin: &Origin,
) -> Result<()> {
    let person = Person { password_hash: Some(hash), ..person };
    people::update(tx, &person).await?;
    sessions::revoke_all(tx, person.id, keep).await?;
    for purpose in [Purpose::Reset, Purpose::Verify, Purpose::ChangeEmail] {
        tickets::cancel(tx, person.id, purpose, None).await?;
    }
    throttle::forgive(tx, house, &person.email, origin).await?;
    mails::queue(tx, letters::password_changed(house, &person, origin)).await?;
    login::record_everywhere(tx, &person, origin, &Event::new(action, person.id)).await
}
