//! One attempt: what it may cost, and what it cost.

use std::sync::Arc;
use std::time::Duration;

use domain::limits::{Amounts, Counted};
use domain::prices::{MOST_TOKENS, Quote, TokenCount};
use domain::{Time, UsageId};
use gateway::{ClientRequest, Operation, Usage};
use store::ledger::entries::{Charge, Outcome};

use super::{Failed, Target};
use crate::held::Held;
use crate::rates::Pass;

/// Bytes of text that are taken for a token where nobody counted (English has about four).
const BYTES_A_TOKEN: u64 = 4;
/// Tokens that a picture is taken for where nobody counted, if it cannot be fewer: about what most models make of one.
const PICTURE: u64 = 1_000;

/// A time in whole microseconds.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// What an attempt may cost.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) quote: Arc<Quote>,
    /// Percent of the price at the request's service tier.
    percent: u32,
    /// The most tokens of each answer.
    pub(super) answer: u64,
    pub(super) worst: Amounts,
}

impl Plan {
    pub(super) fn of(request: &ClientRequest, target: &Target) -> Result<Self, Failed> {
        let no_price =
            |tier: Option<&str>| Failed::NoPrice { model: target.model.clone(), tier: tier.map(str::to_owned) };
        let quote = target.quote.clone().ok_or_else(|| no_price(None))?;
        let tier = request.service_tier();
        let percent = quote.price.tier(tier).ok_or_else(|| no_price(tier))?;
        let answer = request.max_output().unwrap_or_else(|| quote.price.usual_answer());
        let output = match request.operation() {
            Operation::Embeddings => 0,
            _ => answer.saturating_mul(request.choices()),
        };
        let input = request.input_bound(quote.price.picture_bound());
        let for_an_hour = quote.price.write_long.is_some() && request.caches_for_an_hour();
        let worst = Amounts::of(Counted::Cost, quote.price.worst(input, output, percent, for_an_hour))
            .with(Counted::Requests, 1)
            .with(Counted::Tokens, whole(input.saturating_add(output)));
        Ok(Self { quote, percent, answer, worst })
    }

    /// The most tokens that it may read and write.
    pub(super) fn tokens(&self) -> u64 {
        u64::try_from(self.worst.get(Counted::Tokens)).unwrap_or(0)
    }
}

/// The tokens that a request is taken for where nobody counted.
pub(super) fn guessed(request: &ClientRequest, plan: &Plan) -> u64 {
    let text = request.input_bound(0);
    let pictures = request.input_bound(plan.quote.price.picture_bound().min(PICTURE)) - text;
    text.div_ceil(BYTES_A_TOKEN).saturating_add(pictures)
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An attempt that is answered, and not settled yet.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: UsageId,
    pub(super) held: Option<Held>,
    pub(super) pass: Option<Pass>,
    pub(super) plan: Plan,
    pub(super) began: Time,
    /// What was read, where nobody counts it.
    pub(super) input: u64,
}

impl Open {
    /// Gives the slots back, and the tokens that were not used.
    pub(super) fn leave(&mut self, charge: &Charge) {
        if let Some(pass) = self.pass.take() {
            pass.settle(u64::try_from(charge.amounts.get(Counted::Tokens)).unwrap_or(0));
        }
    }

    pub(super) fn charge(&self, usage: Option<Usage>, received: u64, outcome: Outcome, latency_micros: i64) -> Charge {
        let estimated = usage.is_none();
        let tokens = match usage {
            // Whoever runs the upstream may claim anything: what no call can use is not believed, so that sums stay sums.
            Some(usage) => TokenCount {
                input: usage.input.min(MOST_TOKENS),
                cached: usage.cached_input.min(MOST_TOKENS),
                written: usage.cache_write.min(MOST_TOKENS),
                written_long: usage.cache_write_long.min(MOST_TOKENS),
                output: usage.output.min(MOST_TOKENS),
            },
            None => TokenCount { input: self.input, output: received.div_ceil(BYTES_A_TOKEN), ..TokenCount::default() },
        };
        let all = whole(tokens.input.saturating_add(tokens.output));
        let amounts = Amounts::of(Counted::Cost, self.plan.quote.price.cost(tokens, self.plan.percent))
            .with(Counted::Requests, 1)
            .with(Counted::Tokens, all);
        Charge {
            outcome,
            input_tokens: whole(tokens.input),
            cached_tokens: whole(tokens.cached),
            written_tokens: whole(tokens.written),
            written_long_tokens: whole(tokens.written_long),
            percent: self.plan.percent.into(),
            output_tokens: whole(tokens.output),
            estimated,
            amounts,
            latency_micros,
        }
    }
}
