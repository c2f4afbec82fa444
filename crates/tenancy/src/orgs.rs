//! Making organisations, in an order that survives a crash at any point.
//!
//! The control row comes first, in the state `creating`: nobody can enter. Then the organisation's store is made, then the row
//! becomes `active`. Whoever finds `creating` left behind ([`finish_all`]) does the rest.

use std::time::Duration;

use domain::role::Role;
use domain::status::{OrgStatus, Standing};
use domain::text::{OrgName, slug};
use domain::{OrgId, UserId};
use serde_json::json;
use store::audit::Event;
use store::control::memberships::{self, Membership};
use store::control::organisations::{self, Organisation};
use store::{Actor, ControlTx, Origin, Turn};

use crate::{Error, House, Result};

/// How long a closing can be undone (security facts, section 9.2).
pub const GRACE: Duration = Duration::from_hours(30 * 24);

/// Lets pass who has not made as many organisations as one person may. Holds the person's turn, so that none is made meanwhile.
/// # Errors
/// [`Error::Limit`] when they have.
pub async fn require_room(house: &House, tx: &mut ControlTx, maker: UserId) -> Result<()> {
    let most = house.rules.organisations_each;
    if organisations::count_made_by(tx, maker).await? < most {
        return Ok(());
    }
    Err(Error::Limit { what: "organizations", most })
}

/// Writes the control rows of a new organisation and of its owner.
/// # Errors
/// As the database; [`store::Error::Full`] when there is no room for its store.
pub async fn insert(
    house: &House,
    tx: &mut ControlTx,
    owner: UserId,
    name: OrgName,
    personal: bool,
    origin: &Origin,
) -> Result<Organisation> {
    insert_as(house, tx, &Actor::Person(owner), owner, name, personal, origin).await
}

/// As [`insert`], when somebody else makes it for the owner.
/// # Errors
/// As [`insert`].
pub(crate) async fn insert_as(
    house: &House,
    tx: &mut ControlTx,
    by: &Actor,
    owner: UserId,
    name: OrgName,
    personal: bool,
    origin: &Origin,
) -> Result<Organisation> {
    house.store.check_room()?;
    let ambient = house.store.ambient();
    let now = ambient.now();
    let organisation = Organisation {
        id: ambient.id(),
        slug: slug(name.as_str()),
        name,
        plan: house.rules.plans.default_plan().name.clone(),
        status: OrgStatus::Creating,
        personal,
        time_zone: "UTC".into(),
        closes_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    organisations::insert(tx, &organisation, owner).await?;
    let membership = Membership {
        id: ambient.id(),
        org_id: organisation.id,
        user_id: owner,
        role: Role::OWNER,
        standing: Standing::Active,
        seen_at: None,
        version: 1,
        created_at: now,
    };
    memberships::insert(tx, &membership).await?;
    let event =
        Event::new("organisation.created", organisation.id).after(&organisation).detail(json!({ "owner": owner }));
    tx.record(organisation.id, by, origin, event).await?;
    Ok(organisation)
}

/// Makes the store of an organisation whose control rows are durable, and opens it to its people.
/// # Errors
/// As the databases; [`finish_all`] tries again later.
pub async fn finish(house: &House, org: OrgId) -> Result<()> {
    house.store.provision(org).await?;
    let mut tx = house.store.begin_control(Turn::Org(org)).await?;
    organisations::activate(&mut tx, org).await?;
    let event = Event::new("organisation.opened", org);
    tx.record(org, &Actor::System, &Origin::default(), event).await?;
    tx.commit().await?;
    Ok(())
}

/// Finishes organisations that a crash left half made.
/// # Errors
/// As the databases.
pub async fn finish_all(house: &House) -> Result<usize> {
    // Younger ones are being made right now.
    let before = house.store.ambient().now() - Duration::from_secs(10);
    let mut tx = house.store.read_control().await?;
    let unfinished = organisations::unfinished(&mut tx, before).await?;
    drop(tx);
    let mut finished = 0;
    for org in &unfinished {
        // One that cannot be made must not keep the others waiting.
        match finish(house, *org).await {
            Ok(()) => finished += 1,
            Err(error) => tracing::error!(%org, %error, "a half-made organisation could not be finished"),
        }
    }
    Ok(finished)
}
