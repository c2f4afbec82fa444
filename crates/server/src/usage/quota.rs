//! `GET /api/v1/usage/quota`: what is left of each limit that stands on the caller's path: the plan's, the budgets' of the
//! organisation, the caller's teams, the project, the person and the key, and the key's own. Of budgets, those that the caller may see.

use std::collections::BTreeSet;

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::limits::{Counted, Level, LimitKey};
use domain::money::Currency;
use domain::plan::Meter;
use domain::{LimitId, TeamId, Time};
use metering::Limit;
use metering::rules::Spender;
use schemars::JsonSchema;
use serde::Serialize;
use store::org::budgets::Budget;
use store::org::knowledge::documents;
use store::org::members;
use tenancy::entitlements;

use crate::budgets::sight::Sight;
use crate::http::caller::{Caller, Local};
use crate::http::cursor::MOST;
use crate::http::error::Result;
use crate::http::reply::Found;

/// All limits on the caller's path, the widest first. Those of documents and storage count what is there; who may not see the use of the
/// whole organisation is not told of them. Of budgets, those that `GET /api/v1/budgets` shows.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageQuota")]
pub(crate) struct QuotaView {
    data: Vec<LimitView>,
    /// Seats of the organisation: members and open invitations.
    seats: SeatsView,
}

/// A limit, and what is left of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageLimit")]
struct LimitView {
    /// Which limit.
    limit_id: LimitId,
    /// Where it stands.
    level: Level,
    /// The team, project, person, agent or key; null for the organisation.
    subject_id: Option<String>,
    counted: Counted,
    /// For money.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    /// Whether it stops what would exceed it; else it only warns.
    hard: bool,
    limit: i64,
    used: i64,
    /// What calls under way may use at most.
    held: i64,
    remaining: i64,
    /// When it begins anew; null for what never does.
    resets_at: Option<Time>,
}

/// Seats.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageSeats")]
struct SeatsView {
    limit: u64,
    used: u64,
    remaining: u64,
}

pub(crate) async fn quota(local: Local<can::UsageRead>) -> Result<Found<QuotaView>> {
    let caller = local.each();
    if !caller.scope().grants().allow_anywhere(Permission::UsageRead) {
        return Err(caller.deny(Permission::UsageRead, "organisation").await);
    }
    let whole = caller.scope().grants().allow(Permission::UsageRead, Object::Organisation);
    let mut limits = limits(&caller).await?;
    limits.retain(|limit| whole || !is_kept(limit));
    let limits = without_unseen(&caller, limits).await?;
    let mut balances = caller.app().books.look(caller.scope(), &limits).await?;
    let (documents, bytes) = if whole { documents::totals(&mut caller.read().await?).await? } else { (0, 0) };
    // No call settles them: they are as much as lies there.
    for (limit, balance) in limits.iter().zip(&mut balances).filter(|(limit, _)| is_kept(limit)) {
        balance.settled = if limit.key.counted == Counted::Documents { documents } else { bytes };
    }
    let usd: Option<Currency> = "USD".parse().ok();
    let view = |(limit, balance): (Limit, store::ledger::balances::Balance)| LimitView {
        limit_id: limit.key.id,
        level: limit.level,
        subject_id: Some(limit.subject).filter(|subject| !subject.is_empty()),
        counted: limit.key.counted,
        currency: (limit.key.counted == Counted::Cost)
            .then(|| limit.exchange.map(|exchange| exchange.currency).or(usd))
            .flatten(),
        hard: limit.hard,
        limit: limit.cap,
        used: balance.settled,
        held: balance.held,
        remaining: limit.cap.saturating_sub(balance.settled).saturating_sub(balance.held).max(0),
        resets_at: limit.span.until,
    };
    let mut tx = caller.store().read_control().await?;
    let plan = entitlements::of(caller.house(), &mut tx, caller.org()).await?;
    let seats = plan.limit(Meter::Seats).value;
    let taken = entitlements::seats_taken(caller.house(), &mut tx, caller.org()).await?;
    let seats = SeatsView { limit: seats, used: taken, remaining: seats.saturating_sub(taken) };
    drop(tx);
    Ok(Found(QuotaView { data: limits.into_iter().zip(balances).map(view).collect(), seats }))
}

/// Whether a limit is of what is kept in collections.
fn is_kept(limit: &Limit) -> bool {
    matches!(limit.key.counted, Counted::Documents | Counted::Storage)
}

/// Leaves out the budgets that the caller does not see. What a plan or a key says itself is in no budget.
async fn without_unseen(caller: &Caller<can::UsageRead>, limits: Vec<Limit>) -> Result<Vec<Limit>> {
    let of_org = caller.app().rules.of(caller.scope()).await?;
    let sight = Sight::beside(caller).await?;
    let own = caller.scope().key().map(|(key, _)| LimitKey::on(key, Counted::Cost));
    let mut shown = Vec::with_capacity(limits.len());
    for limit in limits {
        let sees = if limit.key.counted != Counted::Cost || Some(limit.key) == own {
            true
        } else {
            // One that is gone by now is seen by nobody.
            let is = |budget: &&Budget| LimitKey::on(budget.id, Counted::Cost) == limit.key;
            match of_org.budgets().iter().find(is) {
                Some(budget) => sight.sees(budget).await?,
                None => false,
            }
        };
        if sees {
            shown.push(limit);
        }
    }
    Ok(shown)
}

/// The limits on the paths of all that the caller can spend for: in none of their teams, and in each.
async fn limits(caller: &Caller<can::UsageRead>) -> Result<Vec<Limit>> {
    let scope = caller.scope();
    let mut tx = caller.read().await?;
    let teams = members::of_person::<TeamId>(&mut tx, caller.user(), None, MOST.into()).await?;
    drop(tx);
    let own = teams.into_iter().filter(|one| one.membership_id == scope.membership()).map(|one| Some(one.place_id));
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    for team in std::iter::once(None).chain(own) {
        let spender = Spender {
            user: Some(caller.user()),
            key: scope.key().map(|(key, _)| key),
            project: scope.selected_project(),
            team,
            agent: None,
            run: None,
        };
        for limit in caller.app().rules.path(scope, spender, &Counted::ALL).await?.iter() {
            if known.insert(limit.key) {
                found.push(limit.clone());
            }
        }
    }
    found.sort_by_key(|limit| Level::ALL.iter().position(|level| *level == limit.level));
    Ok(found)
}
