//! Erasing organisations and people whose grace period is over, in an order that survives a crash at any point.
//!
//! The directory says `erasing` first: from then on nobody can enter. A moment later, when no request that was let in before can still
//! be at work, the organisation's store is counted and destroyed ([`store::Store::destroy`]), and only then the rows in control go,
//! together with the completion of a signed receipt, which stays. Whoever finds `erasing` left behind does the rest.

use std::time::Duration;

use domain::role::Role;
use domain::status::OrgStatus;
use domain::{OrgId, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::erasures::{self, Counts};
use store::control::memberships::{self, Membership};
use store::control::organisations::{self, Ending};
use store::control::people::{self, Person};
use store::control::{mail_domains, mails};
use store::deliveries::Departure;
use store::idempotency::KEPT;
use store::org::knowledge::{self, originals};
use store::{Actor, ControlTx, Origin, Scope, Turn};

use crate::orgs::GRACE;
use crate::{House, Result, leaving, letters};

/// How long after nobody is let in any more the store is destroyed; no request takes as long.
pub const SETTLING: Duration = Duration::from_mins(1);
/// Organisations that one round begins to erase, and organisations that it erases, at the most.
const ROUND: i64 = 100;

/// Begins and goes on with what is due; says how many organisations were erased. To be called again and again.
/// # Errors
/// As the control database; an organisation that cannot be erased now is no error, and is tried again in the next round.
pub async fn organisations(house: &House) -> Result<usize> {
    let now = house.store.ambient().now();
    let mut tx = house.store.read_control().await?;
    let due = organisations::due(&mut tx, now, ROUND).await?;
    let erasing = organisations::erasing(&mut tx, now - SETTLING, ROUND).await?;
    drop(tx);
    for ending in due {
        begin(house, ending).await?;
    }
    let mut erased = 0;
    for org in erasing {
        // One that cannot be erased must not keep the others waiting.
        match finish(house, org).await {
            Ok(done) => erased += usize::from(done),
            Err(error) => {
                tracing::error!(%org, %error, "an organisation could not be erased and will be tried again");
            }
        }
    }
    if erased > 0 {
        rinse(house).await;
    }
    Ok(erased)
}

/// Clears what was erased out of the log of the control file. When somebody reads it right now, its next checkpoint does.
async fn rinse(house: &House) {
    if let Err(error) = house.store.rinse().await {
        tracing::warn!(%error, "the log of the control file still holds pages from before an erasure");
    }
}

async fn begin(house: &House, ending: Ending) -> Result<()> {
    let mut tx = house.store.begin_control(Turn::Org(ending.id)).await?;
    // Its owner may have changed their mind in the last moment, or another node was faster.
    if !organisations::begin_erasing(&mut tx, ending.id).await? {
        return Ok(());
    }
    let by = ending.closing_by.map_or(Actor::System, Actor::Person);
    let subject = ending.id.to_string();
    let asked_at = ending.closing_at.unwrap_or(house.store.ambient().now());
    erasures::begin(&mut tx, &subject, &by.to_string(), asked_at).await?;
    tx.record_house(&Actor::System, &Origin::default(), Event::new("organisation.erasing", ending.id)).await?;
    Ok(tx.commit().await?)
}

/// Does the rest; says whether it was this call that ended it.
async fn finish(house: &House, org: OrgId) -> Result<bool> {
    house.store.destroy(org).await?;
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    if organisations::find(&mut tx, org).await?.is_none() {
        return Ok(false);
    }
    let mut owners = Vec::new();
    for owner in memberships::of_role(&mut tx, org, Role::OWNER).await? {
        owners.push(people::get(&mut tx, owner).await?);
    }
    let erasure = erasures::about(&mut tx, &org.to_string()).await?;
    let removed = organisations::remove(&mut tx, org).await?;
    let counts = erasure.counted();
    let erasure = erasures::finish(&mut tx, erasure, counts, removed).await?;
    for owner in owners.iter().filter(|owner| !owner.email.leads_nowhere()) {
        mails::queue(&mut tx, letters::erased(house, owner, &erasure)).await?;
    }
    let event = Event::new("organisation.erased", org).detail(json!({ "receipt": erasure.id }));
    tx.record_house(&Actor::System, &Origin::default(), event).await?;
    tx.commit().await?;
    if let Err(error) = house.store.remove_latecomers(org).await {
        tracing::warn!(%org, %error, "originals that came after an erasure stay until a server starts");
    }
    Ok(true)
}

/// How long after the deletion of an account could be undone it is erased: what is told by mail about its organisations gets out.
pub const POSTPONED: Duration = Duration::from_hours(24);

/// Erases people the deletion of whose accounts cannot be undone any more; says how many. To be called again and again, after
/// [`organisations()`].
/// # Errors
/// As the control database; a person who cannot be erased now is no error, and is tried again in the next round.
pub async fn people(house: &House) -> Result<usize> {
    let mut tx = house.store.read_control().await?;
    let ended = people::ended(&mut tx, house.store.ambient().now() - POSTPONED, ROUND).await?;
    drop(tx);
    let mut erased = 0;
    for user in ended {
        match erase_person(house, user).await {
            Ok(done) => erased += usize::from(done),
            Err(error) => tracing::error!(%user, %error, "a person could not be erased and will be tried again"),
        }
    }
    if erased > 0 {
        rinse(house).await;
    }
    Ok(erased)
}

/// What control knows of a person goes in one transaction, so nobody finds them half erased; what must go from the organisations' stores
/// is queued in it. What they kept to themselves there goes before, once nobody can bring them back any more.
async fn erase_person(house: &House, user: UserId) -> Result<bool> {
    let mut tx = house.store.read_control().await?;
    let orgs = memberships::orgs_ever(&mut tx, user).await?;
    for org in &orgs {
        let organisation = organisations::get(&mut tx, *org).await?;
        let is_ending = organisation.closes_at.is_some_and(|at| at <= house.store.ambient().now());
        if !organisation.status.is_whole() || is_ending {
            // The organisation goes first: its receipt is for this person.
            return Ok(false);
        }
    }
    let begun = erasures::find(&mut tx, &user.to_string()).await?.is_some();
    drop(tx);
    if !begun && !begin_with_person(house, user, &orgs).await? {
        return Ok(false);
    }
    for org in &orgs {
        // First, so that a crash in between, or a store that cannot be opened now, leaves the person to the next round.
        forget_private(house, *org, user).await?;
    }
    let (mut tx, stays) = leaving::begin_about(house, user).await?;
    // Another node may have been faster.
    let Some(person) = people::find(&mut tx, user).await? else { return Ok(false) };
    for stay in &stays {
        end(house, &mut tx, stay, &person).await?;
    }
    let erasure = erasures::about(&mut tx, &user.to_string()).await?;
    let removed = people::remove(&mut tx, &person).await?;
    let counts = erasure.counted();
    let erasure = erasures::finish(&mut tx, erasure, counts, removed).await?;
    let event = Event::new("person.erased", user).detail(json!({ "receipt": erasure.id }));
    tx.record_house(&Actor::System, &Origin::default(), event).await?;
    tx.commit().await?;
    for stay in &stays {
        house.settle(stay.org_id).await;
    }
    Ok(true)
}

/// Counts what is a person's own, and begins their receipt with it: from then on nobody brings them back. Says whether they are still due.
/// A store that cannot be opened lets them wait: what they kept there would come back with it.
async fn begin_with_person(house: &House, user: UserId, orgs: &[OrgId]) -> Result<bool> {
    let mut counts = Counts::new();
    for org in orgs {
        counts.insert(org.to_string(), Some(house.store.count_of_person(*org, user).await?));
    }
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let person = people::find(&mut tx, user).await?;
    let due = |person: &Person| person.ends_at.is_some_and(|at| at + POSTPONED <= house.store.ambient().now());
    let Some(person) = person.filter(due) else { return Ok(false) };
    let (until, by) = (person.ends_at.unwrap_or(person.updated_at), person.ends_by.unwrap_or(user));
    let subject = user.to_string();
    erasures::begin(&mut tx, &subject, &by.to_string(), until - GRACE).await?;
    let erasure = erasures::about(&mut tx, &subject).await?;
    erasures::note(&mut tx, erasure.id, &counts).await?;
    tx.record_house(&Actor::System, &Origin::default(), Event::new("person.erasing", user)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Removes what a person kept to themselves in an organisation.
async fn forget_private(house: &House, org: OrgId, user: UserId) -> Result<()> {
    let scope = house.store.serve(org).await?;
    let forgotten = forget_answers(house, &scope).await?;
    let mut tx = house.store.open(&scope).begin().await?;
    let (collections, threads) = knowledge::forget_person(&mut tx, user).await?;
    if (collections, threads) == (0, 0) {
        drop(tx);
        if forgotten {
            originals::rinse(&house.store, &scope).await;
        }
        return Ok(());
    }
    let detail = json!({ "collections": collections, "threads": threads });
    tx.record(Event::new("person.knowledge_erased", user).detail(detail)).await?;
    tx.commit().await?;
    originals::sweep(&house.store, &scope).await;
    originals::rinse(&house.store, &scope).await;
    Ok(())
}

/// Removes the answers that were kept for who repeats a request and count no more; says whether there were any. Those to a person who is
/// erased are among them, and where nobody writes nothing else forgets them.
async fn forget_answers(house: &House, scope: &Scope) -> Result<bool> {
    let mut any = false;
    loop {
        let mut tx = house.store.open(scope).begin().await?;
        let before = tx.now() - KEPT;
        if tx.sweep_answers(before).await? == 0 {
            return Ok(any);
        }
        tx.commit().await?;
        any = true;
    }
}

/// Ends a stay of a person who is erased. An organisation that is left without anybody closes, one that the operator has suspended, too:
/// nobody is left who could close it.
async fn end(house: &House, tx: &mut ControlTx, stay: &Membership, person: &Person) -> Result<()> {
    let (org, user) = (stay.org_id, stay.user_id);
    memberships::delete(tx, stay).await?;
    // As with whoever leaves: a new account would undo a suspension there.
    mail_domains::bar_mailbox(tx, org, &person.email).await?;
    tx.depart(org, &Departure { user, membership: stay.id }).await?;
    tx.record(org, &Actor::System, &Origin::default(), Event::new("person.erased", user).before(stay)).await?;
    let organisation = organisations::get(tx, org).await?;
    let is_ending = matches!(organisation.status, OrgStatus::Closing | OrgStatus::Erasing);
    if !is_ending && memberships::count(tx, org).await? == 0 {
        let closes_at = house.store.ambient().now() + GRACE;
        organisations::close(tx, &organisation, closes_at, user).await?;
        let event = Event::new("organisation.closing", org).before(&organisation);
        tx.record(org, &Actor::System, &Origin::default(), event.detail(json!({ "closes_at": closes_at }))).await?;
    }
    Ok(())
}
