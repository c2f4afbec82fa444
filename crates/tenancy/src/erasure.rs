//! Erasing organisations whose grace period is over, in an order that survives a crash at any point.
//!
//! The directory says `erasing` first: from then on nobody can enter. A moment later, when no request that was let in before can still
//! be at work, the organisation's store is counted and destroyed ([`store::Store::destroy`]), and only then the rows in control go,
//! together with the completion of a signed receipt, which stays. Whoever finds `erasing` left behind does the rest.

use std::time::Duration;

use domain::OrgId;
use domain::role::Role;
use serde_json::json;
use store::audit::Event;
use store::control::organisations::{self, Ending};
use store::control::{erasures, mails, memberships, people};
use store::{Actor, Origin, Turn};

use crate::{House, Result, letters};

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
        house.store.rinse().await?;
    }
    Ok(erased)
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
    let erasure = erasures::finish(&mut tx, erasure, removed).await?;
    for owner in &owners {
        mails::queue(&mut tx, letters::erased(house, owner, &erasure)).await?;
    }
    let event = Event::new("organisation.erased", org).detail(json!({ "receipt": erasure.id }));
    tx.record_house(&Actor::System, &Origin::default(), event).await?;
    tx.commit().await?;
    Ok(true)
}
