//! `GET /api/v1/operator/system`: how the installation is, for whoever watches over it: counts, what waits, what is damaged. Ids and
//! numbers; nothing of what is in an organisation.

use domain::{OrgId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::Engine;
use store::control::jobs::{self, Backlog};

use crate::http::caller::Operator;
use crate::http::error::Result;
use crate::http::reply::Found;

/// How the installation is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "System")]
pub(crate) struct SystemView {
    /// The version of the program that answers.
    version: &'static str,
    /// `sqlite`, an encrypted file for each organisation, or `postgres`.
    engine: &'static str,
    /// When it was asked.
    at: Time,
    /// Accounts.
    people: i64,
    /// In any state.
    organizations: i64,
    /// Half made; taken away or finished within minutes.
    unfinished: i64,
    /// Organisations' files that are open; 0 on PostgreSQL.
    open_files: usize,
    /// Mails that wait to be sent.
    mails_waiting: i64,
    /// Mails that were given up.
    mails_failed: i64,
    /// Decisions on their way into organisations' stores.
    deliveries: i64,
    /// Work, by kind.
    jobs: Vec<BacklogView>,
    /// Organisations whose files cannot be opened or are only read.
    troubled: Vec<TroubledView>,
}

/// How much work of a kind there is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Backlog")]
pub(crate) struct BacklogView {
    kind: String,
    /// Jobs, whatever they wait for.
    jobs: i64,
    /// Those that somebody works at.
    running: i64,
    /// Those that were tried before.
    retried: i64,
    /// When the one that waits longest was due.
    oldest_due_at: Time,
}

impl From<Backlog> for BacklogView {
    fn from(backlog: Backlog) -> Self {
        let Backlog { kind, jobs, running, retried, oldest_due_at } = backlog;
        Self { kind, jobs, running, retried, oldest_due_at }
    }
}

/// An organisation whose file is in trouble.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Troubled")]
pub(crate) struct TroubledView {
    organization: OrgId,
    /// What was found.
    what: String,
}

pub(crate) async fn system(operator: Operator) -> Result<Found<SystemView>> {
    let store = operator.person().store();
    let counts = store.counts().await?;
    let mut tx = store.read_control().await?;
    let jobs = jobs::backlog(&mut tx).await?.into_iter().map(BacklogView::from).collect();
    Ok(Found(SystemView {
        version: env!("CARGO_PKG_VERSION"),
        engine: match store.engine() {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        },
        at: store.ambient().now(),
        people: counts.people,
        organizations: counts.organisations,
        unfinished: counts.unfinished,
        open_files: store.open_files(),
        mails_waiting: counts.mails_waiting,
        mails_failed: counts.mails_failed,
        deliveries: counts.deliveries,
        jobs,
        troubled: store
            .troubled()
            .into_iter()
            .map(|(organization, what)| TroubledView { organization, what })
            .collect(),
    }))
}
