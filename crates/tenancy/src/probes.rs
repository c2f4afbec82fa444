//! Probes: organisations in which nobody lives, made to check the walls of an installation while it serves others. They end by
//! themselves: whoever made one ends it, and when that comes to nothing the server does, a quarter of an hour later.

use std::time::Duration;

use domain::email::Email;
use domain::plan::Meter;
use domain::status::Standing;
use domain::text::{OrgName, PersonName};
use domain::{OrgId, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::organisations::{self, Organisation};
use store::control::people::{self, Person};
use store::control::{installation, sessions};
use store::{Actor, Origin, Turn};

use crate::erasure::POSTPONED;
use crate::{Error, House, Result, orgs};

/// After how long a probe is over, even when nobody ends it.
pub const LIFE: Duration = Duration::from_mins(15);
/// Probes that one round ends at the most.
const ROUND: i64 = 100;
/// What the facts begin with by which the installation remembers its probes.
const FACT: &str = "probe ";

/// An organisation for a check, and the person who owns it.
#[derive(Debug)]
pub struct Probe {
    /// The organisation.
    pub org: OrgId,
    /// Its owner.
    pub user: UserId,
    /// Where the owner signs in. Mail to it goes nowhere: the domain can have no server (RFC 6761, section 6.4).
    pub email: String,
    /// The owner's password.
    pub password: String,
}

/// Makes a probe, with the plan that has the most. The name is shown in the directory, so that an operator knows what it is.
/// # Errors
/// As the databases; [`store::Error::Full`] when there is no room for its store.
pub async fn make(house: &House, name: &str) -> Result<Probe> {
    let ambient = house.store.ambient();
    let now = ambient.now();
    let email = format!("{}@probe.invalid", store::hex(&ambient.bytes::<12>()));
    let password = store::hex(&ambient.bytes::<24>());
    let hash = house.passwords.hash(&password).await?;
    let address = Email::new(&email).map_err(|error| invalid("email", &error))?;
    let name_of_person = PersonName::new(name).map_err(|error| invalid("name", &error))?;
    let person =
        Person { password_hash: Some(hash), verified_at: Some(now), ..Person::new(ambient, address, name_of_person) };
    let roomiest = house.rules.plans.iter().max_by_key(|plan| (plan.features.len(), *plan.limits.get(Meter::Requests)));
    let plan = roomiest.unwrap_or(house.rules.plans.default_plan()).name.clone();
    let (by, origin) = (Actor::System, Origin::default());
    let mut tx = house.store.begin_control(Turn::Person(person.id)).await?;
    people::insert(&mut tx, &person).await?;
    let event = Event::new("person.signed_up", person.id).after(&person).detail(json!({ "probe": true }));
    tx.record_house(&by, &origin, event).await?;
    let org_name = OrgName::new(name).map_err(|error| invalid("name", &error))?;
    let made = orgs::insert_as(house, &mut tx, &by, person.id, org_name, false, &origin).await?;
    let made = Organisation { plan, ..made };
    organisations::update(&mut tx, &made).await?;
    let event = Event::new("organisation.plan_changed", made.id).after(&made).detail(json!({ "plan": made.plan }));
    tx.record(made.id, &by, &origin, event).await?;
    // With the rows, so that there is never a probe of which nobody knows that it must end.
    installation::set(&mut tx, &fact(person.id), &made.id.to_string()).await?;
    tx.commit().await?;
    orgs::finish(house, made.id).await?;
    Ok(Probe { org: made.id, user: person.id, email, password })
}

/// Ends a probe: its owner is signed out, and organisation and owner are due for erasure at once, which a server does within some
/// minutes. Ending it again changes nothing.
/// # Errors
/// As the database.
pub async fn end(house: &House, user: UserId) -> Result<()> {
    let mut tx = house.store.read_control().await?;
    let Some(org) = installation::find(&mut tx, &fact(user)).await? else { return Ok(()) };
    drop(tx);
    let org: OrgId = org.parse().map_err(|error| invalid("organisation", &error))?;
    let now = house.store.ambient().now();
    let (by, origin) = (Actor::System, Origin::default());
    let mut tx = house.store.begin_control_about(&[Turn::Org(org), Turn::Person(user)]).await?;
    if !installation::remove(&mut tx, &fact(user)).await? {
        return Ok(());
    }
    if let Some(organisation) = organisations::find(&mut tx, org).await?
        && organisation.status.admits_writes()
    {
        organisations::close(&mut tx, &organisation, now, user).await?;
        let event = Event::new("organisation.closing", org).before(&organisation);
        tx.record(org, &by, &origin, event.detail(json!({ "closes_at": now, "probe": true }))).await?;
    }
    if let Some(before) = people::find(&mut tx, user).await? {
        let ended = Some(now - POSTPONED);
        let after = Person { standing: Standing::Suspended, ends_at: ended, ends_by: Some(user), ..before.clone() };
        people::update(&mut tx, &after).await?;
        sessions::revoke_all(&mut tx, user, None).await?;
        let event = Event::new("person.deletion_asked", user).before(&before).after(&after);
        tx.record_house(&by, &origin, event.detail(json!({ "probe": true }))).await?;
    }
    Ok(tx.commit().await?)
}

/// Ends probes that nobody ended in time; says how many.
/// # Errors
/// As the database.
pub async fn sweep(house: &House) -> Result<usize> {
    let mut tx = house.store.read_control().await?;
    // The names that begin with the text: what comes after it in its last letter's place is beyond them.
    let all = (FACT, "probe!");
    let over = installation::older(&mut tx, all, house.store.ambient().now() - LIFE, ROUND).await?;
    drop(tx);
    for name in &over {
        let user = name.strip_prefix(FACT).unwrap_or_default();
        end(house, user.parse().map_err(|error| invalid("user", &error))?).await?;
    }
    Ok(over.len())
}

fn fact(user: UserId) -> String {
    format!("{FACT}{user}")
}

fn invalid(field: &'static str, error: &dyn std::fmt::Display) -> Error {
    Error::Invalid { field, rule: error.to_string() }
}
