//! The demo world's usage: calls over the last thirty days, in the books.

use std::time::Duration;

use domain::limits::{Amounts, Counted};
use domain::prices::{Price, Prices, TokenCount};
use domain::{ProjectId, UserId};
use store::Scope;
use store::ledger::entries::{self, Charge, Outcome, Search};
use store::ledger::holds::{Hold, Purpose};

use super::Plot;
use crate::{Error, House, Result};

/// Writes the calls of the last month into the books; ids that follow from their place make a repetition harmless.
pub(super) async fn enter_calls(
    house: &House,
    scope: &Scope,
    plot: &Plot,
    users: &[UserId],
    projects: &[ProjectId],
) -> Result<()> {
    let prices = Prices::builtin();
    let ambient = house.store.ambient();
    let now = ambient.now();
    let mut tx = house.store.begin_ledger(scope).await?;
    let mut books = tx.page(scope)?;
    if !entries::list(&mut books, &Search::default(), None, 1).await?.is_empty() {
        return Ok(());
    }
    for (at, call) in calls(plot.calls).into_iter().enumerate() {
        let Some(quote) = prices.quote(call.model, now) else {
            return Err(Error::Invalid { field: "model", rule: format!("{} has no price", call.model) });
        };
        let began = now - call.ago;
        let cost = call.cost(&quote.price);
        let tokens = call.input_tokens + call.output_tokens;
        let amounts = Amounts::of(Counted::Cost, cost).with(Counted::Requests, 1).with(Counted::Tokens, tokens);
        let hold = Hold {
            id: ambient.id_at(began),
            attempt: 1,
            at: began,
            holder: ambient.id(),
            purpose: Purpose {
                operation: call.operation.into(),
                model: call.model.into(),
                upstream: "demo".into(),
                price: quote.version,
                user_id: Some(users[at % users.len()]),
                project_id: pick(projects, at),
                request_id: "demo".into(),
                ..Purpose::default()
            },
            amounts,
        };
        let charge = Charge {
            input_tokens: call.input_tokens,
            output_tokens: call.output_tokens,
            amounts,
            latency_micros: call.latency_micros,
            ..Charge::nothing(call.outcome)
        };
        entries::insert(&mut books, &hold, &charge).await?;
    }
    tx.commit().await?;
    house.store.flush_ledger().await?;
    Ok(())
}

fn pick(projects: &[ProjectId], at: usize) -> Option<ProjectId> {
    // Every third call belongs to no project.
    if projects.is_empty() || at.is_multiple_of(3) { None } else { Some(projects[at % projects.len()]) }
}

/// A call of a model, for the usage log.
pub(super) struct Call {
    pub(super) ago: Duration,
    pub(super) operation: &'static str,
    pub(super) model: &'static str,
    pub(super) input_tokens: i64,
    pub(super) output_tokens: i64,
    pub(super) latency_micros: i64,
    pub(super) outcome: Outcome,
}

impl Call {
    /// What it cost by a price, in millionths of a US dollar.
    pub(super) fn cost(&self, price: &Price) -> i64 {
        let count = |tokens: i64| u64::try_from(tokens).unwrap_or(0);
        let tokens =
            TokenCount { input: count(self.input_tokens), output: count(self.output_tokens), ..TokenCount::default() };
        price.cost(tokens, 100)
    }
}

/// Calls spread over the last thirty days; the same numbers each time.
pub(super) fn calls(number: u32) -> Vec<Call> {
    // The dearest is called least.
    const MODELS: [&str; 3] = ["gpt-4o-mini", "gpt-4.1", "claude-opus-4-1"];
    let step = Duration::from_hours(30 * 24) / number.max(1);
    (0..number)
        .map(|at| {
            let n = i64::from(at);
            let model = MODELS[[0, 1, 0, 2, 1, 0][at as usize % 6]];
            Call {
                ago: step * at + Duration::from_mins(7),
                operation: ["chat", "message", "chat", "responses"][at as usize % 4],
                model,
                input_tokens: 400 + n * 137 % 1600,
                output_tokens: 80 + n * 71 % 600,
                latency_micros: 350_000 + n * 7919 % 2_400_000,
                outcome: if at % 23 == 22 { Outcome::Error } else { Outcome::Ok },
            }
        })
        .collect()
}
