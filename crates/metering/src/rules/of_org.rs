//! The limits of one organisation, as they were a moment ago, and whose path they stand on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use domain::limits::{Counted, Level, LimitKey, Period, Span};
use domain::plan::{Entitlements, Meter};
use domain::status::OrgStatus;
use domain::time_zone::TimeZoneName;
use domain::{Id, TeamId, Time};
use store::ledger::entries::Filter;
use store::org::budgets::Budget;
use store::org::teams;
use store::{Scope, Tx};

use super::{ALERTS, PAGE, Spender};
use crate::limit::{Limit, Path};
use crate::rates::rule::RateLimits;

/// Paths that were told, by spender and what is counted.
type Paths = HashMap<(Spender, u8), Path>;

/// The limits of one organisation, as they were a moment ago.
pub struct OfOrg {
    pub(super) status: OrgStatus,
    pub(super) zone: TimeZoneName,
    pub(super) since: Time,
    pub(super) entitlements: Entitlements,
    pub(super) budgets: Vec<Budget>,
    pub(super) rate_limits: RateLimits,
    /// The team above each; none are known where no budget stands at a team.
    pub(super) has_tree: bool,
    pub(super) above: HashMap<TeamId, Option<TeamId>>,
    pub(super) paths: Mutex<Paths>,
}

impl std::fmt::Debug for OfOrg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OfOrg")
    }
}

impl OfOrg {
    /// The state that it is in.
    #[must_use]
    pub fn status(&self) -> OrgStatus {
        self.status
    }

    /// The time zone in which its days and months begin.
    #[must_use]
    pub fn zone(&self) -> &TimeZoneName {
        &self.zone
    }

    /// Since when it is there.
    #[must_use]
    pub fn since(&self) -> Time {
        self.since
    }

    /// What its plan and the exceptions from it allow.
    #[must_use]
    pub fn entitlements(&self) -> &Entitlements {
        &self.entitlements
    }

    /// Its budgets.
    #[must_use]
    pub fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// Its rate limits.
    pub(crate) fn rate_limits(&self) -> &RateLimits {
        &self.rate_limits
    }

    /// The period of a kind around a time, by the organisation's clocks.
    #[must_use]
    pub fn span(&self, period: Period, at: Time) -> Span {
        period.around(at, &self.zone)
    }

    /// Whether a budget stands on a spender's path.
    pub(super) fn stands_on_path(&self, budget: &Budget, spender: Spender) -> bool {
        let subject = budget.subject.map(|subject| subject.0);
        let is = |id: Option<domain::id::Uuid>| subject.is_some() && id == subject;
        match budget.level {
            Level::Organization => true,
            Level::Team => self.chain(spender.team).any(|above| is(Some(above.uuid()))),
            Level::Project => is(spender.project.map(Id::uuid)),
            Level::User => is(spender.user.map(Id::uuid)),
            Level::Key => is(spender.key.map(Id::uuid)),
            Level::Agent => is(spender.agent.map(Id::uuid)),
            Level::Run => is(spender.run.map(Id::uuid)),
        }
    }

    pub(crate) fn of_plan(&self, scope: &Scope, counted: &[Counted], now: Time) -> Vec<Limit> {
        let limit = |meter: Meter| {
            let counts = Counted::of_meter(meter).filter(|one| counted.contains(one))?;
            let period = if meter.is_monthly() { Period::Month } else { Period::Total };
            Some(Limit {
                key: LimitKey::on(scope.org(), counts),
                level: Level::Organization,
                subject: String::new(),
                span: period.around(now, &self.zone),
                cap: i64::try_from(self.entitlements.limit(meter).value).unwrap_or(i64::MAX),
                hard: true,
                exchange: None,
                counts: Filter::default(),
                teams: None,
                alerts: ALERTS.into(),
            })
        };
        Meter::ALL.iter().filter_map(|meter| limit(*meter)).collect()
    }

    /// A team and all above it.
    fn chain(&self, team: Option<TeamId>) -> impl Iterator<Item = TeamId> {
        // As many steps as there are teams, whatever the tree says.
        std::iter::successors(team, |team| self.above.get(team).copied().flatten()).take(self.above.len().max(1))
    }

    /// A team and all below it, sorted.
    pub(super) fn below(&self, team: TeamId) -> Arc<[TeamId]> {
        let mut below: Vec<TeamId> =
            self.above.keys().copied().filter(|one| self.chain(Some(*one)).any(|above| above == team)).collect();
        below.push(team);
        below.sort_unstable();
        below.dedup();
        below.into()
    }
}

/// The team above each. What was used in a team that was deleted still counts to those above.
pub(super) async fn tree(tx: &mut Tx) -> store::Result<HashMap<TeamId, Option<TeamId>>> {
    let is_last = |length: usize| length < usize::try_from(PAGE).unwrap_or(usize::MAX);
    let mut above = HashMap::new();
    let mut last = None;
    loop {
        let page = teams::list(tx, last, PAGE).await?;
        last = page.last().map(|team| team.id);
        let ends = is_last(page.len());
        above.extend(page.into_iter().map(|team| (team.id, team.parent_id)));
        if ends {
            break;
        }
    }
    last = None;
    loop {
        let page = teams::former(tx, last, PAGE).await?;
        last = page.last().map(|team| team.id);
        let ends = is_last(page.len());
        above.extend(page.into_iter().map(|team| (team.id, team.parent_id)));
        if ends {
            return Ok(above);
        }
    }
}
