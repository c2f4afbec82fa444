//! Limits on the path of a call, and what it takes to pass them.

use std::sync::Arc;

use domain::limits::{Amounts, Counted, Level, LimitKey, Span};
use domain::money::Currency;
use domain::{LimitId, TeamId, Time};
use serde::{Deserialize, Serialize};
use store::ledger::balances::Balance;
use store::ledger::entries::Filter;
use store::ledger::holds::Hold;

/// The rate at which a budget in another currency is charged. Written on each row that it charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The currency of the budget.
    pub currency: Currency,
    /// Millionths of the currency for one US dollar.
    pub rate_micros: i64,
    /// Who said so.
    pub source: String,
    /// When they said so.
    pub at: Time,
}

impl Exchange {
    /// An amount in millionths of the currency, rounded up to a whole millionth: a budget is never charged too little.
    #[must_use]
    pub fn of(&self, usd_micros: i64) -> i64 {
        let product = i128::from(usd_micros) * i128::from(self.rate_micros);
        let whole = product.div_euclid(1_000_000) + i128::from(product.rem_euclid(1_000_000) > 0);
        i64::try_from(whole).unwrap_or(i64::MAX)
    }
}

/// A limit in one of its periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What names its balance.
    pub key: LimitKey,
    /// Where it stands.
    pub level: Level,
    /// Of what: the id of the team, project, person or key; empty for the organisation.
    pub subject: String,
    /// The period.
    pub span: Span,
    /// The most that may be used, in its own unit.
    pub cap: i64,
    /// Whether it stops what would exceed it; else it only warns.
    pub hard: bool,
    /// For money in another currency than the ledger's, the rate.
    pub exchange: Option<Exchange>,
    /// Which rows of the usage log it counts.
    pub counts: Filter,
    /// For a team: itself and all below it, sorted.
    pub teams: Option<Arc<[TeamId]>>,
    /// At how many percent somebody is told.
    pub alerts: Arc<[i64]>,
}

impl Limit {
    /// How much of its unit an amount takes.
    #[must_use]
    pub fn takes(&self, amounts: &Amounts) -> i64 {
        let amount = amounts.get(self.key.counted);
        self.exchange.as_ref().map_or(amount, |exchange| exchange.of(amount))
    }

    /// The thresholds, in percent, that it has reached with what is settled.
    pub(crate) fn reached(&self, settled: i64) -> impl Iterator<Item = i64> + '_ {
        // In parts of a hundred, so that no limit is too small or too large.
        let parts = i128::from(settled) * 100;
        let cap = i128::from(self.cap);
        self.alerts.iter().copied().filter(move |percent| settled > 0 && parts >= cap * i128::from(*percent))
    }

    /// Whether it counts rows of a team.
    #[must_use]
    pub fn counts_team(&self, team: Option<TeamId>) -> bool {
        match (&self.teams, team) {
            (None, _) => true,
            (Some(teams), Some(team)) => teams.binary_search(&team).is_ok(),
            (Some(_), None) => false,
        }
    }

    /// Whether it counts a hold.
    #[must_use]
    pub fn counts_hold(&self, hold: &Hold) -> bool {
        fn fits<T: PartialEq + Copy>(wanted: Option<T>, is: Option<T>) -> bool {
            wanted.is_none() || wanted == is
        }
        let (counts, purpose) = (&self.counts, &hold.purpose);
        self.span.holds(hold.at)
            && fits(counts.user, purpose.user_id)
            && fits(counts.key, purpose.key_id)
            && fits(counts.project, purpose.project_id)
            && fits(counts.agent, purpose.agent_id)
            && fits(counts.run, purpose.run_id)
            && self.counts_team(purpose.team_id)
    }

    /// What is missing for an amount to pass, if it does not.
    #[must_use]
    pub fn shortage(&self, balance: Balance, amount: i64) -> Option<Shortage> {
        // What takes nothing passes, also when a limit was lowered below what is used.
        if !self.hard || amount <= 0 {
            return None;
        }
        let after = balance.settled.saturating_add(balance.held).saturating_add(amount);
        (after > self.cap).then(|| Shortage {
            level: self.level,
            subject: self.subject.clone(),
            limit: self.key.id,
            counted: self.key.counted,
            currency: self.exchange.as_ref().map(|exchange| exchange.currency),
            cap: self.cap,
            used: balance.settled,
            held: balance.held,
            needed: amount,
            missing: after - self.cap,
            resets_at: self.span.until,
        })
    }
}

/// All limits that a call must pass, the widest first. They are taken together or not at all.
pub type Path = Arc<[Limit]>;

/// A limit that has no room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shortage {
    /// Where the limit stands.
    pub level: Level,
    /// Of what: the id of the team, project, person or key; empty for the organisation.
    pub subject: String,
    /// Which limit.
    pub limit: LimitId,
    /// What it counts.
    pub counted: Counted,
    /// The currency, for money in another one than US dollars.
    pub currency: Option<Currency>,
    /// The most that may be used.
    pub cap: i64,
    /// What is used.
    pub used: i64,
    /// What calls under way hold.
    pub held: i64,
    /// What was asked for.
    pub needed: i64,
    /// By how much it does not fit.
    pub missing: i64,
    /// When the limit begins anew; never for a total.
    pub resets_at: Option<Time>,
}

impl Shortage {
    /// Whether it is this limit that has no room.
    pub(crate) fn is_of(&self, limit: &Limit) -> bool {
        (self.limit, self.counted) == (limit.key.id, limit.key.counted)
    }
}

/// Why an amount is not held.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A limit has no room.
    #[error("a limit has no room")]
    Short(Box<Shortage>),
    /// More calls wait for the ledger than it takes; nothing was written.
    #[error("too many calls wait for the ledger")]
    Crowded,
    /// The store failed; nothing was held.
    #[error(transparent)]
    Store(#[from] Arc<store::Error>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(cap: i64) -> Limit {
        Limit {
            key: LimitKey { id: domain::Id::from_uuid(uuid()), counted: Counted::Cost },
            level: Level::Organization,
            subject: String::new(),
            span: Span { from: Time::from_micros(0), until: None },
            cap,
            hard: true,
            exchange: None,
            counts: Filter::default(),
            teams: None,
            alerts: Arc::new([]),
        }
    }

    fn uuid() -> domain::id::Uuid {
        domain::id::Uuid::nil()
    }

    #[test]
    fn an_amount_passes_up_to_the_last_millionth() {
        let balance = Balance { held: 20, settled: 70 };
        assert_eq!(limit(100).shortage(balance, 10), None);
        let shortage = limit(100).shortage(balance, 11).expect("it does not fit");
        assert_eq!((shortage.missing, shortage.used, shortage.held, shortage.needed), (1, 70, 20, 11));
        assert_eq!(limit(50).shortage(balance, 0), None, "what takes nothing passes");
        assert_eq!(limit(50).shortage(balance, -5), None, "so does what gives back");
        assert_eq!(Limit { hard: false, ..limit(0) }.shortage(balance, 1), None);
        assert!(limit(i64::MAX).shortage(Balance { held: i64::MAX, settled: 1 }, i64::MAX).is_none());
    }

    #[test]
    fn another_currency_is_charged_by_its_rate_and_never_too_little() {
        let exchange = Exchange {
            currency: "EUR".parse().expect("a currency"),
            rate_micros: 920_000,
            source: "test".into(),
            at: Time::from_micros(0),
        };
        assert_eq!([0, 1, 100, 1_000_000].map(|usd| exchange.of(usd)), [0, 1, 92, 920_000]);
    }
}
