//! Whose a mail address is: verifying it, changing it, and taking a change back.

use domain::UserId;
use domain::email::Email;
use domain::secret::SecretText;
use domain::status::{OrgStatus, Standing};
use store::audit::Event;
use store::control::people::{self, Person};
use store::control::tickets::{self, Purpose};
use store::control::{mail_domains, mails, memberships, organisations, recovery_codes, sessions};
use store::{Actor, ControlTx, Origin, Turn};

use crate::login::{self, Tokens};
use crate::{Error, House, Result, leaving, letters, links, orgs, throttle};

/// Queues a mail by which a person shows that the address is theirs, unless one went out a moment ago.
pub(crate) async fn ask_to_verify(house: &House, tx: &mut ControlTx, person: &Person, origin: &Origin) -> Result<()> {
    if throttle::may_mail(tx, house, "verify", &person.email).await? {
        let (token, until) = links::issue(house, tx, Purpose::Verify, person.id, &person.email).await?;
        mails::queue(tx, letters::verify(house, person, &token, until, origin)).await?;
        tx.record_house(&Actor::System, origin, Event::new("person.asked_to_verify", person.id)).await?;
    }
    Ok(())
}

/// The work of [`ask_to_verify`], for an address that nobody waits for.
async fn ask_nobody(house: &House, tx: &mut ControlTx, email: &Email, origin: &Origin) -> Result<()> {
    if throttle::may_mail(tx, house, "verify", email).await? {
        let person = login::nobody(house, email)?;
        let (token, until) = links::issue(house, tx, Purpose::Verify, person.id, &person.email).await?;
        mails::queue(tx, letters::verify(house, &person, &token, until, origin)).await?;
        tx.record_house(&Actor::System, origin, Event::new("person.asked_to_verify", login::UNKNOWN)).await?;
    }
    Ok(())
}

/// Sends the mail for verification again, if somebody with this address waits for it. The same work if nobody does.
/// # Errors
/// [`Error::Throttled`] when too many mails are asked for from one source.
pub async fn resend(house: &House, email: &Email, origin: &Origin) -> Result<()> {
    let mut tx = house.store.begin_control(Turn::Free).await?;
    throttle::charge_mail_request(&mut tx, house, origin).await?;
    match people::find_by_email(&mut tx, email).await? {
        Some(person) if person.verified_at.is_none() && person.standing == Standing::Active => {
            ask_to_verify(house, &mut tx, &person, origin).await?;
        }
        _ => ask_nobody(house, &mut tx, email, origin).await?,
    }
    Ok(tx.commit().await?)
}

/// Verifies a mail address and signs the person in.
/// # Errors
/// [`Error::Ticket`] when the link is not valid; [`Error::CodeNeeded`] when the address is verified, but signing in takes a code.
pub async fn verify(house: &House, token: &SecretText, origin: &Origin) -> Result<Tokens> {
    let user = links::find(house, Purpose::Verify, token).await?.user_id;
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let ticket = links::take(&mut tx, Purpose::Verify, token).await?;
    let mut person = people::get(&mut tx, user).await?;
    if person.email != ticket.email || person.standing != Standing::Active {
        return Err(Error::Ticket);
    }
    let before = person.clone();
    person.verified_at = Some(house.store.ambient().now());
    people::update(&mut tx, &person).await?;
    tickets::cancel(&mut tx, user, Purpose::Verify, None).await?;
    if person.password_hash.is_none() {
        let (token, until) = links::issue(house, &mut tx, Purpose::Reset, user, &person.email).await?;
        mails::queue(&mut tx, letters::reset(house, &person, &token, until, origin)).await?;
    }
    let event = Event::new("person.verified", user).before(&before).after(&person);
    login::record_everywhere(&mut tx, &person, origin, &event).await?;
    tx.commit().await?;
    let mut first = None;
    let mut tx = house.store.read_control().await?;
    let orgs = memberships::orgs_of(&mut tx, user).await?;
    let mut unfinished = Vec::new();
    for org in orgs {
        first = first.or(Some(org));
        if organisations::get(&mut tx, org).await?.status == OrgStatus::Creating {
            unfinished.push(org);
        }
    }
    drop(tx);
    for org in unfinished {
        orgs::finish(house, org).await?;
    }
    if person.totp_on_at.is_some() {
        return Err(Error::CodeNeeded);
    }
    login::start_tokens(house, &person, first, origin).await
}

/// Asks for another mail address: a link that confirms it goes to the new one, a link that takes it back to the old one. Whether the
/// new one belongs to somebody else is not told; its owner is.
/// # Errors
/// [`Error::Invalid`] when it is the person's already; [`Error::Throttled`] when asked too often.
pub async fn ask_for_change(house: &House, user: UserId, new: &Email, origin: &Origin) -> Result<()> {
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let person = people::get(&mut tx, user).await?;
    if person.email.as_str() == new.as_str() {
        return Err(Error::Invalid { field: "email", rule: "is your mail address already".into() });
    }
    throttle::charge_change(&mut tx, house, user).await?;
    tickets::cancel(&mut tx, user, Purpose::ChangeEmail, None).await?;
    match people::find_by_email(&mut tx, new).await? {
        Some(other) if other.id != user => {
            if throttle::may_mail(&mut tx, house, "account exists", new).await? {
                mails::queue(&mut tx, letters::account_exists(house, &other, origin)).await?;
            }
        }
        _ => {
            let (token, until) = links::issue(house, &mut tx, Purpose::ChangeEmail, user, new).await?;
            mails::queue(&mut tx, letters::confirm_email(house, &person, new, &token, until, origin)).await?;
        }
    }
    offer_undo(house, &mut tx, &person, false, origin).await?;
    login::record_everywhere(&mut tx, &person, origin, &Event::new("person.email_change_asked", user)).await?;
    Ok(tx.commit().await?)
}

/// Mails a link that takes a change back to the address that a person gives up.
async fn offer_undo(house: &House, tx: &mut ControlTx, old: &Person, changed: bool, origin: &Origin) -> Result<()> {
    let (token, until) = links::issue(house, tx, Purpose::UndoEmail, old.id, &old.email).await?;
    mails::queue(tx, letters::undo_email(house, old, changed, &token, until, origin)).await?;
    Ok(())
}

/// Notes the mailboxes that a person had and has, wherever they are a member: what is decided about them there, a suspension or a removal,
/// holds for another account of either.
async fn keep_mailboxes(tx: &mut ControlTx, versions: [&Person; 2]) -> Result<()> {
    for org in memberships::orgs_of(tx, versions[0].id).await? {
        for person in versions {
            mail_domains::bar_mailbox(tx, org, &person.email).await?;
        }
    }
    Ok(())
}

/// Makes the new mail address the person's. Links that were sent to the old one are void, but for those that take it back.
/// # Errors
/// [`Error::Ticket`] when the link is not valid; [`store::Error::Taken`] when somebody else has the address by now.
pub async fn confirm_change(house: &House, token: &SecretText, origin: &Origin) -> Result<()> {
    let user = links::find(house, Purpose::ChangeEmail, token).await?.user_id;
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let ticket = links::take(&mut tx, Purpose::ChangeEmail, token).await?;
    let before = people::get(&mut tx, user).await?;
    let person = Person { email: ticket.email, verified_at: Some(house.store.ambient().now()), ..before.clone() };
    people::update(&mut tx, &person).await?;
    for purpose in [Purpose::Reset, Purpose::Verify, Purpose::ChangeEmail] {
        tickets::cancel(&mut tx, user, purpose, None).await?;
    }
    offer_undo(house, &mut tx, &before, true, origin).await?;
    keep_mailboxes(&mut tx, [&before, &person]).await?;
    let event = Event::new("person.email_changed", user).before(&before).after(&person);
    login::record_everywhere(&mut tx, &person, origin, &event).await?;
    Ok(tx.commit().await?)
}

/// Takes a change of the mail address back, before or after it took effect. Somebody else was at the account: all sessions end, the
/// password is void and a link for a new one is mailed, a second factor that was set up since is off, and a deletion of the account
/// is undone.
/// # Errors
/// [`Error::Ticket`] when the link is not valid; [`store::Error::Taken`] when somebody else has the address by now.
pub async fn undo_change(house: &House, token: &SecretText, origin: &Origin) -> Result<()> {
    let user = links::find(house, Purpose::UndoEmail, token).await?.user_id;
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let ticket = links::take(&mut tx, Purpose::UndoEmail, token).await?;
    let before = people::get(&mut tx, user).await?;
    let mut person = Person {
        email: ticket.email,
        verified_at: Some(house.store.ambient().now()),
        password_hash: None,
        ..before.clone()
    };
    if person.totp_on_at.is_none_or(|on_at| on_at >= ticket.created_at) {
        (person.totp_seed, person.totp_on_at, person.totp_step) = (None, None, None);
        recovery_codes::remove(&mut tx, user).await?;
    }
    people::update(&mut tx, &person).await?;
    sessions::revoke_all(&mut tx, user, None).await?;
    for purpose in [Purpose::Reset, Purpose::Verify, Purpose::ChangeEmail] {
        tickets::cancel(&mut tx, user, purpose, None).await?;
    }
    // Changes made after this one are the intruder's: their links must not take this back.
    tickets::cancel(&mut tx, user, Purpose::UndoEmail, Some(ticket.created_at)).await?;
    let (token, until) = links::issue(house, &mut tx, Purpose::Reset, user, &person.email).await?;
    mails::queue(&mut tx, letters::reset(house, &person, &token, until, origin)).await?;
    keep_mailboxes(&mut tx, [&before, &person]).await?;
    let event = Event::new("person.email_change_undone", user).before(&before).after(&person);
    login::record_everywhere(&mut tx, &person, origin, &event).await?;
    let person = people::get(&mut tx, user).await?;
    if leaving::can_come_back(&person, house.store.ambient().now()) {
        // Whoever took the address could delete the account, too; the link that keeps it went to them.
        leaving::restore(&mut tx, person, &Actor::Person(user), origin).await?;
    }
    Ok(tx.commit().await?)
}
