//! Deleting an account, in a way that can be undone for a while.
//!
//! Whoever asks is signed out everywhere, and their keys rest. Organisations that nobody else belongs to close with the account;
//! for one that has other people somebody else must own it first. Signing in, or the link in the mail, undoes all of it. A day
//! after the time to undo it is over the person is erased ([`crate::erasure`]).

use domain::role::Role;
use domain::secret::SecretText;
use domain::status::{OrgStatus, Standing};
use domain::{OrgId, Time, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::erasures;
use store::control::memberships::{self, Membership};
use store::control::organisations::{self, Organisation};
use store::control::people::{self, Person};
use store::control::tickets::{self, Purpose};
use store::control::{mails, sessions};
use store::{Actor, ControlTx, Error as StoreError, Origin, Turn};

use crate::orgs::GRACE;
use crate::{Error, House, Result, letters, links};

/// An account that is about to be deleted.
#[derive(Debug)]
pub struct Leaving {
    /// Whose.
    pub person: Person,
    /// Until when that can be undone.
    pub until: Time,
    /// The organisations that close with it.
    pub closing: Vec<OrgId>,
}

/// Asks for the deletion of an account; by its person, or by an operator. The transaction is ready to be committed.
/// # Errors
/// [`Error::Conflict`] names the organisations that somebody else must own first; [`StoreError::NotFound`] when there is no such
/// person; [`StoreError::Stale`] when the person is of another version than expected.
pub async fn ask(
    house: &House,
    user: UserId,
    by: &Actor,
    expected: Option<i64>,
    origin: &Origin,
) -> Result<(ControlTx, Leaving)> {
    let (mut tx, stays) = begin_about(house, user).await?;
    let before = people::get(&mut tx, user).await?;
    if expected.is_some_and(|version| version != before.version) {
        return Err(StoreError::Stale("person").into());
    }
    if before.ends_at.is_some() {
        return Err(Error::Conflict("The account is about to be deleted already.".into()));
    }
    let closing = check(&mut tx, user, &stays).await?;
    let until = house.store.ambient().now() + GRACE;
    let asked_by = by.user().unwrap_or(user);
    let after =
        Person { standing: Standing::Suspended, ends_at: Some(until), ends_by: Some(asked_by), ..before.clone() };
    people::update(&mut tx, &after).await?;
    sessions::revoke_all(&mut tx, user, None).await?;
    for organisation in &closing {
        organisations::close(&mut tx, organisation, until, user).await?;
        let event = Event::new("organisation.closing", organisation.id).before(organisation);
        tx.record(organisation.id, by, origin, event.detail(json!({ "closes_at": until }))).await?;
    }
    let letter = if asked_by == user {
        let (token, _) = links::issue(house, &mut tx, Purpose::KeepAccount, user, &before.email).await?;
        letters::leaving(house, &before, Some(&token), until, origin)
    } else {
        letters::leaving(house, &before, None, until, origin)
    };
    mails::queue(&mut tx, letter).await?;
    let person = people::get(&mut tx, user).await?;
    let event = Event::new("person.deletion_asked", user).before(&before).after(&person);
    let event = event.detail(json!({ "until": until }));
    record(&mut tx, &stays, by, origin, &event).await?;
    let closing = closing.into_iter().map(|organisation| organisation.id).collect();
    Ok((tx, Leaving { person, until, closing }))
}

/// Undoes a deletion that the person asked for, since they have shown who they are; gives the person as they are then.
/// # Errors
/// [`Error::Credentials`] when it cannot be undone any more, or not by them.
pub(crate) async fn come_back(house: &House, user: UserId, origin: &Origin) -> Result<Person> {
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let person = people::get(&mut tx, user).await?;
    if !can_come_back(&person, house.store.ambient().now()) {
        return Err(Error::Credentials);
    }
    let person = restore(&mut tx, person, &Actor::Person(user), origin).await?;
    tx.commit().await?;
    Ok(person)
}

/// Undoes a deletion by the link that was mailed.
/// # Errors
/// [`Error::Ticket`] when the link is not valid, or the time is over.
pub async fn keep(house: &House, token: &SecretText, origin: &Origin) -> Result<()> {
    let user = links::find(house, Purpose::KeepAccount, token).await?.user_id;
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    links::take(&mut tx, Purpose::KeepAccount, token).await?;
    let person = people::get(&mut tx, user).await?;
    if !can_come_back(&person, house.store.ambient().now()) {
        return Err(Error::Ticket);
    }
    restore(&mut tx, person, &Actor::Person(user), origin).await?;
    Ok(tx.commit().await?)
}

/// Whether a person's signing in undoes the deletion of their account: they asked for it, and the time is not over.
pub(crate) fn can_come_back(person: &Person, now: Time) -> bool {
    person.ends_by == Some(person.id) && person.ends_at.is_some_and(|until| until > now)
}

/// Refuses to do anything about an account that is being erased: what was its person's own may be gone already. In the person's turn.
pub(crate) async fn still_whole(tx: &mut ControlTx, user: UserId) -> Result<()> {
    match erasures::find(tx, &user.to_string()).await? {
        None => Ok(()),
        Some(_) => Err(Error::Conflict("The account is being erased; that cannot be undone.".into())),
    }
}

/// Makes an account whole again, with the organisations that were to close with it.
pub(crate) async fn restore(tx: &mut ControlTx, before: Person, by: &Actor, origin: &Origin) -> Result<Person> {
    let user = before.id;
    still_whole(tx, user).await?;
    let after = Person { standing: Standing::Active, ends_at: None, ends_by: None, ..before.clone() };
    people::update(tx, &after).await?;
    call_off(tx, &before, by, origin).await?;
    let person = people::get(tx, user).await?;
    let event = Event::new("person.restored", user).before(&before).after(&person);
    let stays = memberships::of_person(tx, user).await?;
    record(tx, &stays, by, origin, &event).await?;
    Ok(person)
}

/// Undoes what the deletion of an account brought with it, when there is one under way: the mailed link, and the end of the organisations
/// that were to close with it.
pub(crate) async fn call_off(tx: &mut ControlTx, before: &Person, by: &Actor, origin: &Origin) -> Result<()> {
    let Some(until) = before.ends_at else { return Ok(()) };
    tickets::cancel(tx, before.id, Purpose::KeepAccount, None).await?;
    for org in organisations::closing_with(tx, before.id, until).await? {
        let organisation = organisations::get(tx, org).await?;
        organisations::reopen(tx, &organisation).await?;
        tx.record(org, by, origin, Event::new("organisation.restored", org).before(&organisation)).await?;
    }
    Ok(())
}

/// Begins a transaction about a person and all organisations they belong to, with their stays there.
pub(crate) async fn begin_about(house: &House, user: UserId) -> Result<(ControlTx, Vec<Membership>)> {
    let mut tx = house.store.read_control().await?;
    let orgs: Vec<OrgId> = memberships::of_person(&mut tx, user).await?.iter().map(|stay| stay.org_id).collect();
    drop(tx);
    let turns: Vec<Turn> = std::iter::once(Turn::Person(user)).chain(orgs.iter().map(|org| Turn::Org(*org))).collect();
    let mut tx = house.store.begin_control_about(&turns).await?;
    let stays = memberships::of_person(&mut tx, user).await?;
    if stays.iter().any(|stay| !orgs.contains(&stay.org_id)) {
        return Err(StoreError::Busy("the person has just joined an organisation").into());
    }
    Ok((tx, stays))
}

/// Gives the organisations that close with a person's account; refuses when others would be left without an owner.
async fn check(tx: &mut ControlTx, user: UserId, stays: &[Membership]) -> Result<Vec<Organisation>> {
    let (mut closing, mut needed) = (Vec::new(), Vec::new());
    for stay in stays.iter().filter(|stay| stay.role == Role::OWNER) {
        let organisation = organisations::get(tx, stay.org_id).await?;
        let alone = memberships::count_staying(tx, stay.org_id, user).await? == 0;
        match organisation.status {
            OrgStatus::Closing | OrgStatus::Erasing => {}
            OrgStatus::Creating => return Err(StoreError::Busy("an organisation is being made").into()),
            OrgStatus::Active | OrgStatus::PastDue if alone => closing.push(organisation),
            OrgStatus::Suspended if alone => {
                let text =
                    format!("The operator has suspended {}; ask them to decide about it first.", organisation.name);
                return Err(Error::Conflict(text));
            }
            _ if memberships::has_other_owner(tx, stay.org_id, user).await? => {}
            _ => needed.push(format!("{} ({})", organisation.name, organisation.id)),
        }
    }
    if needed.is_empty() {
        return Ok(closing);
    }
    let needed = needed.join(", ");
    Err(Error::Conflict(format!("Others belong to {needed}: hand it to one of them first, or close it.")))
}

/// Records an event about a person in the log of each organisation they belong to, and in the installation's.
async fn record(tx: &mut ControlTx, stays: &[Membership], by: &Actor, origin: &Origin, event: &Event) -> Result<()> {
    for stay in stays {
        tx.record(stay.org_id, by, origin, event.clone()).await?;
    }
    Ok(tx.record_house(by, origin, event.clone()).await?)
}
