//! Spending without a model: a call that is held and settled in the books of the house, as the gateway does it.

use domain::limits::{Amounts, Counted};
use domain::{AgentId, ApiKeyId, ProjectId, TeamId};
use metering::rules::Spender;
use metering::{Held, Refused};
use store::Scope;
use store::ledger::entries::{Charge, Outcome};
use store::ledger::holds::Purpose;

use crate::TestHouse;

/// A call, and what it costs.
#[derive(Debug, Clone)]
pub struct Spending {
    /// In millionths of a US dollar.
    pub micros: i64,
    /// Tokens read and written.
    pub tokens: (i64, i64),
    /// The model.
    pub model: &'static str,
    /// What is done.
    pub operation: &'static str,
    /// The version of the price list.
    pub price: &'static str,
    /// How it ends.
    pub outcome: Outcome,
    /// The key that acts.
    pub key: Option<ApiKeyId>,
    /// The project.
    pub project: Option<ProjectId>,
    /// The team.
    pub team: Option<TeamId>,
    /// The agent.
    pub agent: Option<AgentId>,
}

impl Default for Spending {
    fn default() -> Self {
        Self {
            micros: 0,
            tokens: (0, 0),
            model: "gpt-4o-mini",
            operation: "chat",
            price: "2026-11",
            outcome: Outcome::Ok,
            key: None,
            project: None,
            team: None,
            agent: None,
        }
    }
}

impl Spending {
    /// A call that costs so much.
    #[must_use]
    pub fn of(micros: i64) -> Self {
        Self { micros, ..Self::default() }
    }

    fn amounts(&self) -> Amounts {
        Amounts::of(Counted::Cost, self.micros)
            .with(Counted::Requests, 1)
            .with(Counted::Tokens, self.tokens.0 + self.tokens.1)
    }
}

impl TestHouse {
    /// Holds what a call costs.
    /// # Errors
    /// As the books.
    /// # Panics
    /// When the limits cannot be told.
    pub async fn hold(&self, scope: &Scope, spending: &Spending) -> Result<Held, Refused> {
        let Spending { key, project, team, agent, .. } = *spending;
        let user = scope.user();
        let spender = Spender { user: Some(user), key, project, team, agent, run: None };
        let counted = [Counted::Cost, Counted::Requests, Counted::Tokens];
        let path = self.app.rules().path(scope, spender, &counted).await.expect("clear");
        let rates: Vec<_> = path.iter().filter_map(|limit| limit.exchange.clone()).collect();
        let purpose = Purpose {
            operation: spending.operation.into(),
            model: spending.model.into(),
            upstream: "scripted".into(),
            price: spending.price.into(),
            user_id: Some(user),
            key_id: key,
            project_id: project,
            team_id: team,
            agent_id: agent,
            run_id: None,
            request_id: "req_test".into(),
            exchange: (!rates.is_empty()).then(|| serde_json::to_string(&rates).expect("text")),
        };
        let id = self.store().ambient().id();
        self.app.books().hold(scope, (id, 1), purpose, spending.amounts(), path).await
    }

    /// Holds and settles a call.
    /// # Panics
    /// When a limit has no room for it.
    pub async fn spend(&self, scope: &Scope, spending: &Spending) {
        let held = self.hold(scope, spending).await.expect("there is room");
        self.settle(held, spending).await;
    }

    /// Settles a call that is held.
    /// # Panics
    /// When the books fail.
    pub async fn settle(&self, held: Held, spending: &Spending) {
        let charge = Charge {
            input_tokens: spending.tokens.0,
            output_tokens: spending.tokens.1,
            amounts: spending.amounts(),
            latency_micros: 1000,
            ..Charge::nothing(spending.outcome)
        };
        held.settle(charge).await.expect("settled");
    }
}
