//! What a call gets that is let in, and what one is told that is not.

use std::sync::Arc;
use std::time::Duration;

use domain::OrgId;
use domain::id::Uuid;
use domain::limits::Level;
use serde::Serialize;

use super::cell::{Rate, Verdict};
use super::gatekeeper::Inner;
use super::local::{Ask, Standing};
use super::rule::{Bound, Counts, Rule};

/// What is missing.
#[derive(Debug)]
pub(super) struct Shortfall {
    /// Which of what was asked for; none when there are too many to count.
    pub(super) which: Option<usize>,
    /// How long it takes; for ever when there is none.
    pub(super) wait: Option<Duration>,
    pub(super) standings: Vec<Standing>,
}

impl Shortfall {
    /// When to come back for a slot: nobody knows when one is given back.
    pub(super) const SLOT: Duration = Duration::from_secs(1);

    pub(super) fn crowded() -> Self {
        Self { which: None, wait: Some(Duration::from_mins(1)), standings: Vec::new() }
    }

    /// The one for which it takes longer.
    pub(super) fn worse(known: Option<Self>, which: usize, verdict: Verdict) -> Option<Self> {
        let wait = match verdict {
            Verdict::Fits(_) => return known,
            Verdict::Wait(wait) => Some(wait),
            Verdict::Never => None,
        };
        let longer = |known: &Self| known.wait.is_some_and(|known| wait.is_none_or(|wait| wait > known));
        if known.as_ref().is_none_or(longer) {
            return Some(Self { which: Some(which), wait, standings: Vec::new() });
        }
        known
    }

    pub(super) fn with(self, standings: Vec<Standing>) -> Self {
        Self { standings, ..self }
    }
}

/// How much of a limit is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    counts: Counts,
    limit: u64,
    remaining: u64,
    reset: Duration,
}

impl Left {
    fn of(ask: &Ask, standing: Standing) -> Option<Self> {
        let (Bound::Rate(rate), Standing::Cell(cell)) = (ask.bound, standing) else { return None };
        let (remaining, reset) = (rate.remaining(cell), rate.empty_in(cell));
        Some(Self { counts: ask.place.counts, limit: rate.limit(), remaining, reset })
    }
}

/// Headers of an answer: names in small letters, values of digits, letters and signs.
pub type Headers = Vec<(&'static str, String)>;

/// The tightest limit on calls and that on tokens, in two spellings: that of the draft `ratelimit-headers` as the field uses it (03,
/// before the structured fields), and that which clients of OpenAI read. A duration is in whole seconds, rounded up.
fn headers(asks: &[Ask], standings: &[Standing], wait: Option<Duration>) -> Headers {
    let tightest = |counts: Counts| {
        let all = asks.iter().zip(standings).filter_map(|(ask, standing)| Left::of(ask, *standing));
        all.filter(|left| left.counts == counts).min_by_key(|left| (left.remaining, std::cmp::Reverse(left.reset)))
    };
    let seconds = |duration: Duration| duration.as_micros().div_ceil(1_000_000).to_string();
    let (requests, tokens) = (tightest(Counts::Requests), tightest(Counts::Tokens));
    let mut headers = Headers::new();
    if let Some(left) = requests.or(tokens) {
        headers.extend([
            ("ratelimit-limit", left.limit.to_string()),
            ("ratelimit-remaining", left.remaining.to_string()),
            ("ratelimit-reset", seconds(left.reset)),
            ("ratelimit-policy", format!("{};w=60", left.limit)),
        ]);
    }
    if let Some(left) = requests {
        headers.extend([
            ("x-ratelimit-limit-requests", left.limit.to_string()),
            ("x-ratelimit-remaining-requests", left.remaining.to_string()),
            ("x-ratelimit-reset-requests", format!("{}s", seconds(left.reset))),
        ]);
    }
    if let Some(left) = tokens {
        headers.extend([
            ("x-ratelimit-limit-tokens", left.limit.to_string()),
            ("x-ratelimit-remaining-tokens", left.remaining.to_string()),
            ("x-ratelimit-reset-tokens", format!("{}s", seconds(left.reset))),
        ]);
    }
    if let Some(wait) = wait {
        headers.push(("retry-after", seconds(wait.max(Duration::from_millis(1)))));
    }
    headers
}

/// A call that was let in. It holds its slots until it is dropped. What it took for tokens comes back when it is dropped, unless
/// [`Pass::settle`] says how many were used.
#[must_use]
pub struct Pass {
    pub(super) gatekeeper: Arc<Inner>,
    pub(super) org: OrgId,
    pub(super) id: Uuid,
    pub(super) asks: Vec<Ask>,
    pub(super) standings: Vec<Standing>,
    /// Whether it was let in by the count in this process; else by the shared one.
    pub(super) alone: bool,
    /// Whether its slots are counted in this process.
    pub(super) seated: bool,
    /// How many tokens were used.
    pub(super) used: Option<u64>,
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pass({})", self.id)
    }
}

impl Pass {
    /// What the answer says of the limits.
    #[must_use]
    pub fn headers(&self) -> Headers {
        headers(&self.asks, &self.standings, None)
    }

    /// Says how many tokens were used, and gives the slots back.
    pub fn settle(mut self, tokens: u64) {
        self.used = Some(tokens);
    }

    /// How many tokens its cells are to be corrected by: those used less those taken.
    pub(super) fn correction(&self) -> Option<(i64, Vec<(Ask, Rate)>)> {
        let cells: Vec<_> = self.asks.iter().filter(|ask| ask.place.counts == Counts::Tokens).collect();
        let taken = cells.first()?.cost;
        let used = i64::try_from(self.used.unwrap_or(0)).unwrap_or(i64::MAX);
        let by = used.saturating_sub(i64::try_from(taken).unwrap_or(i64::MAX));
        let rate = |ask: &&Ask| if let Bound::Rate(rate) = ask.bound { Some((**ask, rate)) } else { None };
        (by != 0).then(|| (by, cells.iter().filter_map(rate).collect()))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gatekeeper.clone().leave(self);
    }
}

/// A call that was not let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limited {
    /// Where the limit stands.
    pub level: Level,
    /// Of what: the id of the project, person or key; empty for the organisation.
    pub subject: String,
    /// Which operations it counts: one, `*`, `key` for the key's own limit, `plan` for the plan's.
    pub operation: &'static str,
    /// What it counts.
    pub counts: Counts,
    /// How much there is.
    pub limit: u64,
    /// How much was asked for.
    pub needed: u64,
    /// When to come back; none when it never fits.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// What the answer says of the limits.
    #[serde(skip)]
    pub headers: Headers,
}

impl Limited {
    pub(super) fn new(rules: &[Rule], asks: &[Ask], short: &Shortfall) -> Self {
        let which = short.which.unwrap_or(0);
        let (rule, ask) = (&rules[which], &asks[which]);
        Self {
            level: rule.place.level,
            subject: rule.subject(),
            operation: rule.place.reach.as_str(),
            counts: rule.place.counts,
            limit: match rule.bound {
                Bound::Rate(rate) => rate.limit(),
                Bound::Slots(slots) => slots,
            },
            needed: ask.cost,
            retry_after: short.wait,
            headers: headers(asks, &short.standings, short.wait),
        }
    }

    /// What happened and what to do, for people.
    #[must_use]
    pub fn message(&self) -> String {
        let whose = match self.level {
            Level::Organization => "the organisation".to_owned(),
            level => format!("the {level} {}", self.subject),
        };
        let of = match self.operation {
            "*" | "key" | "plan" => String::new(),
            operation => format!(" of {operation}"),
        };
        let limit = self.limit;
        match (self.counts, self.retry_after) {
            (Counts::Concurrency, _) => {
                format!("{limit} calls{of} at the same time are allowed for {whose}; wait until one ends.")
            }
            (Counts::Tokens, None) => format!(
                "The call may need {} tokens, and {limit} a minute{of} are allowed for {whose}: ask for fewer.",
                self.needed
            ),
            (counts, wait) => {
                let seconds = wait.unwrap_or_default().as_micros().div_ceil(1_000_000);
                format!(
                    "{limit} {} a minute{of} are allowed for {whose}; come back in {seconds} seconds.",
                    counts.as_str()
                )
            }
        }
    }
}

/// Why a call is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A limit has no room.
    #[error("a rate limit has no room")]
    Limited(Box<Limited>),
    /// What the limits are could not be read; nobody is let in without knowing them.
    #[error(transparent)]
    Store(#[from] store::Error),
}
