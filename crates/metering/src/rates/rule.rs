//! Which rate limits stand on the path of a call: the organisation's own, the API key's, and the plan's slots.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use domain::id::Uuid;
use domain::limits::Level;
use domain::operation::Operation;
use domain::{ApiKeyId, Id, OrgId, ProjectId, UserId};
use serde::Serialize;
use store::org::rate_limits::RateLimit;

use super::cell::Rate;
use crate::books::locked;
use crate::rules::Spender;

/// How many paths are remembered for an organisation.
const PATHS: usize = 1_000;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Calls in a minute.
    Requests,
    /// Tokens in a minute.
    Tokens,
    /// Calls at the same time.
    Concurrency,
}

impl Counts {
    /// The name in answers, metrics and keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Concurrency => "concurrency",
        }
    }
}

/// Which operations a limit counts, or whose limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// All that cost something.
    All,
    /// One.
    One(Operation),
    /// All requests with a key, by a limit that stands on the key itself.
    Key,
    /// What takes a slot, by the plan.
    Plan,
}

impl Reach {
    /// The name in keys: no operation is called like one of the others.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "*",
            Self::One(operation) => operation.as_str(),
            Self::Key => "key",
            Self::Plan => "plan",
        }
    }
}

/// Where something is counted, within an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The level of the limit.
    pub level: Level,
    /// The project, person or key; the organisation itself.
    pub subject: Uuid,
    /// Which operations count.
    pub reach: Reach,
    /// What is counted.
    pub counts: Counts,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// So many a minute.
    Rate(Rate),
    /// So many at the same time.
    Slots(u64),
}

/// A limit on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Where it counts.
    pub place: Place,
    /// How much it lets through.
    pub bound: Bound,
}

impl Rule {
    /// The id of what it stands on, as the API shows it; empty for the organisation.
    #[must_use]
    pub fn subject(&self) -> String {
        let id = self.place.subject;
        match self.place.level {
            Level::Project => ProjectId::from_uuid(id).to_string(),
            Level::User => UserId::from_uuid(id).to_string(),
            Level::Key => ApiKeyId::from_uuid(id).to_string(),
            _ => String::new(),
        }
    }
}

type Path = Arc<[Rule]>;

/// Rules that were found, by spender, operation and the key's own limit.
type Paths = HashMap<(Spender, Operation, Option<u64>), Path>;

/// The rate limits of one organisation, as they were a moment ago.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    rows: HashMap<(Level, Option<Uuid>), Vec<RateLimit>>,
    paths: Mutex<Paths>,
}

impl RateLimits {
    pub(crate) fn new(all: Vec<RateLimit>) -> Self {
        let mut rows: HashMap<_, Vec<RateLimit>> = HashMap::new();
        for row in all {
            rows.entry((row.level, row.subject.map(|subject| subject.0))).or_default().push(row);
        }
        Self { rows, paths: Mutex::default() }
    }

    /// The limits on a path, the widest first: `slots` is what the plan gives, `own` what the key itself carries.
    pub(crate) fn path(
        &self,
        org: OrgId,
        spender: Spender,
        operation: Operation,
        slots: u64,
        own: Option<u64>,
    ) -> Path {
        let mut paths = locked(&self.paths);
        if let Some(known) = paths.get(&(spender, operation, own)) {
            return known.clone();
        }
        let path: Path = self.find(org, spender, operation, slots, own).into();
        if paths.len() >= PATHS {
            paths.clear();
        }
        paths.insert((spender, operation, own), path.clone());
        path
    }

    fn find(&self, org: OrgId, spender: Spender, operation: Operation, slots: u64, own: Option<u64>) -> Vec<Rule> {
        let mut rules = Vec::new();
        let places = [
            (Level::Organization, Some(org.uuid())),
            (Level::Project, spender.project.map(Id::uuid)),
            (Level::User, spender.user.map(Id::uuid)),
            (Level::Key, spender.key.map(Id::uuid)),
        ];
        for (level, subject) in places {
            let Some(subject) = subject else { continue };
            if level == Level::Organization && operation.takes_a_slot() {
                let place = Place { level, subject, reach: Reach::Plan, counts: Counts::Concurrency };
                rules.push(Rule { place, bound: Bound::Slots(slots) });
            }
            let named = self.rows.get(&(level, Some(subject))).map_or(&[][..], Vec::as_slice);
            let each = self.rows.get(&(level, None)).map_or(&[][..], Vec::as_slice);
            // What is said of one stands in place of what is said of each.
            let replaced = |row: &&RateLimit| !named.iter().any(|other| other.operation == row.operation);
            let rows = named.iter().chain(each.iter().filter(replaced));
            for row in rows.filter(|row| applies(row.operation, operation)) {
                let reach = row.operation.map_or(Reach::All, Reach::One);
                rules.extend(of_row(row, Place { level, subject, reach, counts: Counts::Requests }));
            }
            if let (Level::Key, Some(own)) = (level, own) {
                let place = Place { level, subject, reach: Reach::Key, counts: Counts::Requests };
                rules.push(Rule { place, bound: Bound::Rate(Rate::per_minute(own)) });
            }
        }
        rules
    }
}

/// A limit of everything leaves plain requests alone: else whoever set one too low could not set it higher.
fn applies(counted: Option<Operation>, operation: Operation) -> bool {
    counted.map_or(operation != Operation::Api, |counted| counted == operation)
}

fn of_row(row: &RateLimit, place: Place) -> impl Iterator<Item = Rule> + use<> {
    let amount = |amount: i64| u64::try_from(amount).unwrap_or(1);
    let rate = |amount| Bound::Rate(Rate::per_minute(amount));
    let bounds = [
        (Counts::Requests, row.requests_per_minute.map(amount).map(rate)),
        (Counts::Tokens, row.tokens_per_minute.map(amount).map(rate)),
        (Counts::Concurrency, row.concurrency.map(amount).map(Bound::Slots)),
    ];
    bounds.into_iter().filter_map(move |(counts, bound)| Some(Rule { place: Place { counts, ..place }, bound: bound? }))
}
