//! Which limits stand on the path of a call: the plan's, the budgets', the key's own; and whether the organisation may spend at all.
//!
//! What an organisation's limits and state are is read once and kept for less than a second, so that a change holds everywhere within one; in
//! this program it holds at once, since whoever changes something says so ([`Rules::forget`]). Balances are never kept here.

mod of_org;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::authoriser::Grants;
use domain::limits::{Counted, Level, LimitKey, Period};
use domain::money::Currency;
use domain::plan::{Entitlements, Plans};
use domain::prices::Prices;
use domain::time_zone::TimeZoneName;
use domain::{AgentId, ApiKeyId, Id, OrgId, ProjectId, RunId, TeamId, Time, UserId};
use store::control::{organisations, overrides};
use store::ledger::entries::Filter;
use store::org::budgets::{self, Budget, Strictness};
use store::org::rate_limits::{self, RateLimit};
use store::{KeyLimits, Scope, Store};

pub use self::of_org::OfOrg;
use self::of_org::tree;
use crate::books::locked;
use crate::limit::{Exchange, Limit, Path};
use crate::rates::rule::RateLimits;

/// How long what was read is used.
const AGE: Duration = Duration::from_millis(900);
/// Organisations that are kept, and paths in each.
const KEPT: u64 = 20_000;
const PATHS: usize = 1_000;
/// Rows read at a time.
const PAGE: i64 = 500;
/// At how many percent somebody is told when a limit does not say.
const ALERTS: [i64; 3] = [50, 80, 100];

/// For whom something is used. What does not apply is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spender {
    /// The person; none for what the organisation does by itself, which no person's limits count.
    pub user: Option<UserId>,
    /// The API key.
    pub key: Option<ApiKeyId>,
    /// The project.
    pub project: Option<ProjectId>,
    /// The team that it counts to.
    pub team: Option<TeamId>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// The run.
    pub run: Option<RunId>,
}

impl Spender {
    /// Whoever has a scope, for a project that they were allowed to select.
    #[must_use]
    pub fn of(scope: &Scope, project: Option<ProjectId>) -> Self {
        let (user, key) = (Some(scope.user()), scope.key().map(|(key, _)| key));
        Self { user, key, project, team: team_of(scope.grants()), agent: None, run: None }
    }

    /// The organisation itself.
    #[must_use]
    pub fn organisation() -> Self {
        Self { user: None, key: None, project: None, team: None, agent: None, run: None }
    }
}

/// The team that somebody's use counts to: the one they are in, when it is one. Somebody in several counts to none, so that roll-ups
/// of teams still add up to the organisation.
fn team_of(grants: &Grants) -> Option<TeamId> {
    let mut own = grants.teams.iter().filter(|(_, held)| held.iter().any(|held| held.through.is_none()));
    let first = own.next().map(|(team, _)| *team);
    first.filter(|_| own.next().is_none())
}

/// Why no path can be told.
#[derive(Debug, thiserror::Error)]
pub enum Unclear {
    /// A budget is in a currency for which the operator has given no rate: it cannot be kept, so nothing may be spent.
    #[error("a budget is in {0}, for which the operator has given no rate of exchange")]
    NoRate(Currency),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What limits there are, by organisation. Cheap to clone.
#[derive(Clone)]
pub struct Rules(Arc<Inner>);

struct Inner {
    store: Store,
    plans: Plans,
    prices: Arc<Prices>,
    kept: moka::sync::Cache<OrgId, Arc<OfOrg>>,
    /// Counts changes: what was begun to be read before one is not kept.
    changes: AtomicU64,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rules")
    }
}

impl Rules {
    /// The rules of an installation with these plans and prices.
    #[must_use]
    pub fn new(store: Store, plans: Plans, prices: Arc<Prices>) -> Self {
        let kept = moka::sync::Cache::builder().max_capacity(KEPT).time_to_live(AGE).build();
        Self(Arc::new(Inner { store, plans, prices, kept, changes: AtomicU64::new(0) }))
    }

    /// What models cost.
    #[must_use]
    pub fn prices(&self) -> &Prices {
        &self.0.prices
    }

    /// Says that an organisation's limits or its state changed.
    pub fn forget(&self, scope: &Scope) {
        self.forget_of(scope.org());
    }

    /// The same for an operator, who has no scope there.
    pub fn forget_of(&self, org: OrgId) {
        self.0.changes.fetch_add(1, Ordering::SeqCst);
        self.0.kept.invalidate(&org);
    }

    /// What the organisation may have and use now.
    /// # Errors
    /// As the databases.
    pub async fn of(&self, scope: &Scope) -> store::Result<Arc<OfOrg>> {
        if let Some(known) = self.0.kept.get(&scope.org()) {
            return Ok(known);
        }
        let changes = self.0.changes.load(Ordering::SeqCst);
        let read = Arc::new(self.read(scope, false).await?);
        if self.0.changes.load(Ordering::SeqCst) == changes {
            self.0.kept.insert(scope.org(), read.clone());
        }
        Ok(read)
    }

    async fn read(&self, scope: &Scope, with_tree: bool) -> store::Result<OfOrg> {
        let mut tx = self.0.store.read_control().await?;
        let organisation = organisations::get(&mut tx, scope.org()).await?;
        let rows = overrides::list(&mut tx, scope.org()).await?;
        drop(tx);
        let plan = self.0.plans.get(&organisation.plan).unwrap_or_else(|| self.0.plans.default_plan());
        let exceptions: Vec<_> = rows.iter().filter_map(overrides::OverrideRow::to_domain).collect();
        let mut tx = self.0.store.open(scope).read().await?;
        let mut all = Vec::new();
        loop {
            let page = budgets::list(&mut tx, all.last().map(|budget: &Budget| budget.id), PAGE).await?;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            all.extend(page);
            if is_last {
                break;
            }
        }
        let mut rates = Vec::new();
        loop {
            let page = rate_limits::list(&mut tx, rates.last().map(|limit: &RateLimit| limit.id), PAGE).await?;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            rates.extend(page);
            if is_last {
                break;
            }
        }
        let rate_limits = RateLimits::new(rates);
        // Only a budget of a team needs the tree.
        let has_tree = with_tree || all.iter().any(|budget| budget.level == Level::Team);
        let above = if has_tree { tree(&mut tx).await? } else { HashMap::new() };
        Ok(OfOrg {
            status: organisation.status,
            zone: TimeZoneName::new(&organisation.time_zone).unwrap_or_else(|_| TimeZoneName::utc()),
            since: organisation.created_at,
            entitlements: Entitlements::of(plan, &exceptions, self.0.store.ambient().now()),
            budgets: all,
            has_tree,
            rate_limits,
            above,
            paths: Mutex::default(),
        })
    }

    /// The limits that stand on the path of somebody who uses these things, the widest first.
    /// # Errors
    /// [`Unclear::NoRate`] when one of them cannot be kept.
    pub async fn path(&self, scope: &Scope, spender: Spender, counted: &[Counted]) -> Result<Path, Unclear> {
        let of_org = self.of(scope).await?;
        let now = self.0.store.ambient().now();
        let key = (spender, counted.iter().fold(0_u8, |mask, counted| mask | 1 << *counted as u8));
        if let Some(path) = locked(&of_org.paths).get(&key)
            // Clocks may be set back, too.
            && path.iter().all(|limit| limit.span.holds(now))
        {
            return Ok(path.clone());
        }
        let path: Path = self.limits(scope, &of_org, spender, counted, now)?.into();
        let mut paths = locked(&of_org.paths);
        if paths.len() >= PATHS {
            paths.clear();
        }
        paths.insert(key, path.clone());
        Ok(path)
    }

    fn limits(
        &self,
        scope: &Scope,
        of_org: &OfOrg,
        spender: Spender,
        counted: &[Counted],
        now: Time,
    ) -> Result<Vec<Limit>, Unclear> {
        let mut limits = of_org.of_plan(scope, counted, now);
        if counted.contains(&Counted::Cost) {
            for budget in of_org.budgets.iter().filter(|budget| of_org.stands_on_path(budget, spender)) {
                limits.push(self.of_budget(of_org, budget, now)?);
            }
        }
        if let Some((key, own)) = scope.key().filter(|(key, _)| Some(*key) == spender.key) {
            limits.extend(self.of_key(of_org, key, &own, counted, now)?);
        }
        limits.sort_by_key(|limit| (rank(limit.level), limit.key));
        Ok(limits)
    }

    /// The limit that a budget is now, whoever spends.
    /// # Errors
    /// [`Unclear::NoRate`] when it cannot be kept.
    pub async fn limit_of(&self, scope: &Scope, budget: &Budget) -> Result<Limit, Unclear> {
        let mut of_org = self.of(scope).await?;
        if budget.level == Level::Team && !of_org.has_tree {
            of_org = Arc::new(self.read(scope, true).await?);
        }
        self.of_budget(&of_org, budget, self.0.store.ambient().now())
    }

    fn of_budget(&self, of_org: &OfOrg, budget: &Budget, now: Time) -> Result<Limit, Unclear> {
        let subject = budget.subject.map(|subject| subject.0);
        let mut counts = Filter::default();
        let mut below = None;
        let name = match budget.level {
            Level::Organization => String::new(),
            Level::Team => {
                let team = subject.map(TeamId::from_uuid);
                below = team.map(|team| of_org.below(team));
                named(team)
            }
            Level::Project => {
                counts.project = subject.map(ProjectId::from_uuid);
                named(counts.project)
            }
            Level::User => {
                counts.user = subject.map(UserId::from_uuid);
                named(counts.user)
            }
            Level::Key => {
                counts.key = subject.map(ApiKeyId::from_uuid);
                named(counts.key)
            }
            Level::Agent => {
                counts.agent = subject.map(AgentId::from_uuid);
                named(counts.agent)
            }
            Level::Run => {
                counts.run = subject.map(RunId::from_uuid);
                named(counts.run)
            }
        };
        Ok(Limit {
            key: LimitKey::on(budget.id, Counted::Cost),
            level: budget.level,
            subject: name,
            span: budget.period.around(now, &of_org.zone),
            cap: budget.cap_at(now),
            hard: budget.kind == Strictness::Hard,
            exchange: self.exchange(budget.currency, now)?,
            counts,
            teams: below,
            alerts: budget.alerts.0.as_slice().into(),
        })
    }

    /// The limits that a key carries itself.
    pub(crate) fn of_key(
        &self,
        of_org: &OfOrg,
        key: ApiKeyId,
        own: &KeyLimits,
        counted: &[Counted],
        now: Time,
    ) -> Result<Vec<Limit>, Unclear> {
        let limit = |counted, cap, period: Period, exchange| Limit {
            key: LimitKey::on(key, counted),
            level: Level::Key,
            subject: key.to_string(),
            span: period.around(now, &of_org.zone),
            cap,
            hard: true,
            exchange,
            counts: Filter { key: Some(key), ..Filter::default() },
            teams: None,
            alerts: ALERTS.into(),
        };
        let mut limits = Vec::new();
        if let Some(calls) = own.calls_per_day.filter(|_| counted.contains(&Counted::Requests)) {
            limits.push(limit(Counted::Requests, calls, Period::Day, None));
        }
        if let Some(budget) = own.budget_micros.filter(|_| counted.contains(&Counted::Cost)) {
            let exchange = own.currency.map(|currency| self.exchange(currency, now)).transpose()?.flatten();
            limits.push(limit(Counted::Cost, budget, Period::Month, exchange));
        }
        Ok(limits)
    }

    /// The rate at which a currency is charged; none for the ledger's own.
    /// # Errors
    /// [`Unclear::NoRate`] when the operator has given none.
    pub fn exchange(&self, currency: Currency, now: Time) -> Result<Option<Exchange>, Unclear> {
        if currency.as_str() == "USD" {
            return Ok(None);
        }
        let (rate, at) = self.0.prices.rate(currency, now).ok_or(Unclear::NoRate(currency))?;
        Ok(Some(Exchange { currency, rate_micros: rate.per_dollar, source: rate.source, at }))
    }
}

fn named(id: Option<impl Id>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// The widest level first: whoever is refused hears of the limit that stops most.
fn rank(level: Level) -> usize {
    Level::ALL.iter().position(|one| *one == level).unwrap_or(usize::MAX)
}
