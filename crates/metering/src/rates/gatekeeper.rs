//! Who lets calls in: finds the limits on their path and takes what they need from all of them, or from none.

use std::sync::Arc;
use std::time::Duration;

use domain::operation::Operation;
use domain::plan::Meter;
use domain::{HolderId, Id, OrgId, Time};
use store::ledger::admissions::{self, Sum};
use store::{Scope, Store};

use super::cell::{Cell, Verdict};
use super::local::{Ask, Local, Standing};
use super::pass::{Limited, Pass, Refused, Shortfall};
use super::rule::{Bound, Counts, Place, Rule};
use super::shared::{Shared, Sharing, Word};
use super::tally::{RefusedBy, Tallies};
use crate::rules::{Rules, Spender};

/// How often what is empty is forgotten.
const TIDY: Duration = Duration::from_secs(30);

/// How often what was let in and turned away is written down.
const WRITE: Duration = Duration::from_secs(5);
/// Sums that are read: of more callers nobody reads the list.
const SUMS: i64 = 1_000;

/// The gatekeeper of a process. Cheap to clone.
#[derive(Clone)]
pub struct Gatekeeper(Arc<Inner>);

pub(super) struct Inner {
    store: Store,
    rules: Rules,
    local: Local,
    shared: Option<Arc<Shared>>,
    tallies: Tallies,
}

impl std::fmt::Debug for Gatekeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gatekeeper")
    }
}

impl Gatekeeper {
    /// A gatekeeper that counts in this process, or shares its counts with other nodes.
    #[must_use]
    pub fn new(store: Store, rules: Rules, sharing: Option<Sharing>) -> Self {
        let shared = sharing.map(|sharing| Shared::start(sharing, store.ambient().id::<HolderId>()));
        let inner = Arc::new(Inner { store, rules, local: Local::new(), shared, tallies: Tallies::default() });
        let weak = Arc::downgrade(&inner);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WRITE).await;
                let Some(inner) = weak.upgrade() else { return };
                if let Err(error) = inner.write_down(None).await {
                    tracing::warn!(%error, "what the rate limits let in could not be counted");
                }
            }
        });
        let weak = Arc::downgrade(&inner);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(TIDY).await;
                let Some(inner) = weak.upgrade() else { return };
                inner.local.tidy(inner.store.ambient().now());
            }
        });
        Self(inner)
    }

    /// Waits until the shared counts were asked for once, so that the first calls are counted there too.
    /// # Errors
    /// Why they cannot be had, in words. Calls are let in all the same, as long as they keep to this node's share.
    pub async fn meet(&self) -> Result<(), String> {
        match &self.0.shared {
            None => Ok(()),
            Some(shared) => shared.meet().await.map_err(|why| why.to_string()),
        }
    }

    /// Whether calls are counted for all nodes now.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.shared.as_ref().is_some_and(|shared| shared.is_there())
    }

    /// How many nodes were seen alive last.
    #[must_use]
    pub fn nodes(&self) -> u64 {
        self.0.shared.as_ref().map_or(1, |shared| shared.nodes())
    }

    /// Lets a call in: takes one call, at most `tokens` tokens and a slot from every limit on its path, or from none.
    ///
    /// # Errors
    /// [`Refused::Limited`] names the limit that has no room, the one with the longest wait; [`Refused::Store`] when the limits cannot
    /// be read.
    pub async fn admit(
        &self,
        scope: &Scope,
        spender: Spender,
        operation: Operation,
        tokens: u64,
    ) -> Result<Pass, Refused> {
        let of_org = self.0.rules.of(scope).await?;
        let own = scope.key().filter(|(key, _)| Some(*key) == spender.key);
        let own = own.and_then(|(_, limits)| limits.rate_per_minute).and_then(|rate| u64::try_from(rate).ok());
        let slots = of_org.entitlements().limit(Meter::Concurrency).value;
        let rules = of_org.rate_limits().path(scope.org(), spender, operation, slots, own);
        let cost = |rule: &Rule| if rule.place.counts == Counts::Tokens { tokens } else { 1 };
        let asks = rules.iter().map(|rule| Ask { place: rule.place, bound: rule.bound, cost: cost(rule) });
        let pass = Pass {
            gatekeeper: self.0.clone(),
            org: scope.org(),
            id: self.0.store.ambient().id::<domain::UsageId>().uuid(),
            asks: asks.collect(),
            standings: Vec::new(),
            alone: false,
            seated: false,
            used: None,
        };
        if pass.asks.is_empty() {
            self.0.tallies.count(scope, spender, operation, None);
            return Ok(pass);
        }
        let entered = self.0.enter(pass).await;
        let refused_by = |(_, short): &Short| {
            let Place { level, reach, counts, .. } = rules[short.which.unwrap_or(0)].place;
            RefusedBy { level, reach, counts }
        };
        self.0.tallies.count(scope, spender, operation, entered.as_ref().err().map(refused_by));
        entered.map_err(|(asks, short)| {
            let limited = Limited::new(&rules, &asks, &short);
            let labels = [("level", limited.level.as_str()), ("counts", limited.counts.as_str())];
            metrics::counter!("rowhouse_rate_limited_total", &labels).increment(1);
            Refused::Limited(Box::new(limited))
        })
    }
}

type Short = (Vec<Ask>, Shortfall);

impl Gatekeeper {
    /// What was let in and turned away in the last hour, and since `lately`; with what this process has not written down yet.
    /// # Errors
    /// As the database.
    pub async fn activity(&self, scope: &Scope, lately: Time) -> store::Result<Vec<Sum>> {
        self.0.write_down(Some(scope.org())).await?;
        let mut tx = self.0.store.read_ledger(scope).await?;
        admissions::sums(&mut tx.page(scope)?, lately, SUMS).await
    }
}

impl Inner {
    /// Writes down what was counted, of one organisation or of all.
    async fn write_down(&self, only: Option<OrgId>) -> store::Result<()> {
        let counted = self.tallies.take(only);
        if counted.is_empty() { Ok(()) } else { self.store.add_admissions(&counted).await }
    }

    /// Asks the shared count; when that is away, the one in this process.
    async fn enter(&self, mut pass: Pass) -> Result<Pass, Short> {
        if let Some(shared) = &self.shared {
            if shared.is_there()
                && let Some(answer) = self.ask(shared, &pass).await
            {
                return self.hear(pass, answer);
            }
            metrics::counter!("rowhouse_rates_alone_total").increment(1);
        }
        let nodes = self.shared.as_ref().map_or(1, |shared| shared.nodes());
        for ask in &mut pass.asks {
            ask.bound = match ask.bound {
                Bound::Rate(rate) => Bound::Rate(rate.shared_by(nodes)),
                Bound::Slots(slots) => Bound::Slots((slots / nodes).max(1)),
            };
        }
        pass.alone = true;
        match self.local.take(pass.org, &pass.asks, self.store.ambient().now(), nodes) {
            Ok(standings) => {
                pass.standings = standings;
                pass.seated = true;
                self.keep(&pass);
                Ok(pass)
            }
            Err(short) => Err((std::mem::take(&mut pass.asks), short)),
        }
    }

    async fn ask(&self, shared: &Shared, pass: &Pass) -> Option<(bool, Vec<u64>)> {
        let now = self.store.ambient().now();
        let carried = |ask: &Ask| match ask.bound {
            Bound::Rate(rate) => self.local.carry(pass.org, ask.place, rate, now),
            Bound::Slots(_) => 0,
        };
        let carried: Vec<u64> = pass.asks.iter().map(carried).collect();
        let words: Vec<Word<'_>> =
            pass.asks.iter().zip(&carried).map(|(ask, carried)| Word::of(ask, *carried)).collect();
        let answer = shared.take(pass.org, pass.id, &words).await;
        if answer.is_none() {
            for (ask, _) in pass.asks.iter().zip(carried).filter(|(_, carried)| *carried > 0) {
                self.local.uncarry(pass.org, ask.place);
            }
        }
        answer
    }

    fn hear(&self, mut pass: Pass, (granted, values): (bool, Vec<u64>)) -> Result<Pass, Short> {
        let now = self.store.ambient().now();
        let mut missing = None;
        for (n, (ask, value)) in pass.asks.iter().zip(values).enumerate() {
            match ask.bound {
                Bound::Rate(rate) => {
                    let cell = Cell { owed: value, at: now };
                    self.local.mirror(pass.org, ask.place, rate, cell, if granted { ask.cost } else { 0 });
                    pass.standings.push(Standing::Cell(cell));
                    if !granted {
                        missing = Shortfall::worse(missing, n, rate.take(cell, now, ask.cost));
                    }
                }
                Bound::Slots(slots) => {
                    pass.standings.push(Standing::Slots);
                    if !granted && value >= slots {
                        missing = Shortfall::worse(missing, n, Verdict::Wait(Shortfall::SLOT));
                    }
                }
            }
        }
        if granted {
            self.local.occupy(pass.org, slots(&pass.asks).map(|ask| ask.place));
            pass.seated = true;
            self.keep(&pass);
            return Ok(pass);
        }
        let standings = std::mem::take(&mut pass.standings);
        let short = missing.unwrap_or_else(Shortfall::crowded).with(standings);
        Err((std::mem::take(&mut pass.asks), short))
    }

    fn keep(&self, pass: &Pass) {
        let slots: Vec<Ask> = slots(&pass.asks).copied().collect();
        if let Some(shared) = self.shared.as_ref().filter(|_| !slots.is_empty()) {
            shared.keep(pass.org, pass.id, slots);
        }
    }

    /// Ends a call, or one that was given up while it asked.
    pub(super) fn leave(&self, pass: &Pass) {
        if pass.asks.is_empty() {
            return;
        }
        let org: OrgId = pass.org;
        let mut words = Vec::new();
        let correction = if pass.seated { pass.correction() } else { None };
        if pass.seated {
            self.local.vacate(org, slots(&pass.asks).map(|ask| ask.place));
        }
        if let Some((by, cells)) = &correction {
            let now = self.store.ambient().now();
            for (ask, rate) in cells {
                self.local.correct(org, ask.place, *rate, now, *by);
                if !pass.alone {
                    words.push(Word::Cell { place: &ask.place, limit: rate.limit(), cost: *by, carried: 0 });
                }
            }
        }
        if let Some(shared) = &self.shared {
            words.extend(slots(&pass.asks).map(|ask| Word::Back { place: &ask.place }));
            shared.leave(org, pass.id, &words);
        }
    }
}

fn slots(asks: &[Ask]) -> impl Iterator<Item = &Ask> {
    asks.iter().filter(|ask| matches!(ask.bound, Bound::Slots(_)))
}
