//! What an organisation may have and use: its plan, with the exceptions that the operator made. Read anew each time, so that an
//! upgrade works at once.

use domain::OrgId;
use domain::plan::{Entitlements, Feature, Meter};
use store::ControlTx;
use store::control::{api_keys, invitations, memberships, organisations, overrides};

use crate::{Error, House, Result};

/// What the organisation may have and use now. One on a plan that the operator has taken away gets what the default plan gives.
/// # Errors
/// As the database; [`store::Error::NotFound`] when there is no such organisation.
pub async fn of(house: &House, tx: &mut ControlTx, org: OrgId) -> Result<Entitlements> {
    let organisation = organisations::get(tx, org).await?;
    let plans = &house.rules.plans;
    let plan = plans.get(&organisation.plan).unwrap_or_else(|| plans.default_plan());
    let rows = overrides::list(tx, org).await?;
    let exceptions: Vec<_> = rows.iter().filter_map(overrides::OverrideRow::to_domain).collect();
    Ok(Entitlements::of(plan, &exceptions, house.store.ambient().now()))
}

/// Lets pass organisations that have the feature.
/// # Errors
/// [`Error::Entitlement`] names the feature and the plan that lacks it.
pub async fn require(house: &House, org: OrgId, feature: Feature) -> Result<()> {
    let mut tx = house.store.read_control().await?;
    let entitlements = of(house, &mut tx, org).await?;
    entitlements
        .require(feature)
        .map_err(|lacking| Error::Entitlement { entitlement: lacking.feature.as_str(), plan: lacking.plan.to_string() })
}

/// How many of something an organisation may have, as its plan says now.
#[derive(Debug)]
pub struct Room {
    meter: Meter,
    most: u64,
    plan: String,
}

impl Room {
    fn of(entitlements: &Entitlements, meter: Meter) -> Self {
        Self { meter, most: entitlements.limit(meter).value, plan: entitlements.plan().to_string() }
    }

    /// Lets pass when one more than those there are is within the limit. Count them in the transaction that adds it.
    /// # Errors
    /// [`Error::Allowance`] names what there is too much of.
    pub fn require(&self, taken: i64) -> Result<()> {
        if u64::try_from(taken).unwrap_or(0) < self.most {
            return Ok(());
        }
        Err(Error::Allowance { what: self.meter.as_str(), most: self.most, plan: self.plan.clone() })
    }
}

/// How many of something an organisation may have. Read it before the organisation's own transaction begins.
/// # Errors
/// As the database.
pub async fn room(house: &House, org: OrgId, meter: Meter) -> Result<Room> {
    let mut tx = house.store.read_control().await?;
    Ok(Room::of(&of(house, &mut tx, org).await?, meter))
}

/// Lets pass when one more API key is within the limit. Holds the organisation's turn.
/// # Errors
/// [`Error::Allowance`] names the keys.
pub async fn require_key(house: &House, tx: &mut ControlTx, org: OrgId) -> Result<()> {
    let room = Room::of(&of(house, tx, org).await?, Meter::ApiKeys);
    room.require(api_keys::count_living(tx, org).await?)
}

/// How many seats are taken: members, suspended ones too, and open invitations.
/// # Errors
/// As the database.
pub async fn seats_taken(house: &House, tx: &mut ControlTx, org: OrgId) -> Result<u64> {
    let now = house.store.ambient().now();
    let taken = memberships::count(tx, org).await? + invitations::count_open(tx, org, now).await?;
    Ok(u64::try_from(taken).unwrap_or(0))
}

/// Lets pass when so many more seats than those taken are within the limit.
/// # Errors
/// [`Error::Allowance`] names the seats.
pub async fn require_seats(house: &House, tx: &mut ControlTx, org: OrgId, more: u64) -> Result<()> {
    let entitlements = of(house, tx, org).await?;
    let most = entitlements.limit(Meter::Seats).value;
    if seats_taken(house, tx, org).await? + more <= most {
        return Ok(());
    }
    Err(Error::Allowance { what: Meter::Seats.as_str(), most, plan: entitlements.plan().to_string() })
}
