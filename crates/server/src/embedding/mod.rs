//! By which model the organisation's passages are embedded, and questions with them: the one inside this program, one that the operator
//! chose for all, or one of a provider that the organisation has.

mod asker;
mod delete;
mod get;
mod name;
mod put;
mod question;

use domain::access::Requires;
use domain::{JobId, Time};
use knowledge::MODEL;
use knowledge::intake::REEMBED;
use schemars::JsonSchema;
use serde::Serialize;
use store::Tx;
use store::control::jobs;
use store::org::knowledge::documents::Fault;
use store::org::knowledge::embedding::{self, Embedding};

pub(crate) use self::asker::Asker;
pub(crate) use self::question::{Answering, Meant};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/knowledge/embedding", "Shows by which model documents are embedded.", get::get)
        .put("/api/v1/knowledge/embedding", "Chooses the model by which documents are embedded.", put::put)
        .delete("/api/v1/knowledge/embedding", "Goes back to the installation's model.", delete::delete)
}

/// A model that embeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "EmbeddingModel")]
pub(crate) struct ModelView {
    /// The provider: an id, `openai` for the installation's, `embedded` for the program's own.
    provider: String,
    /// The provider's name for the model.
    model: String,
    /// How many numbers its vectors have; null until there is one.
    size: Option<i64>,
}

impl ModelView {
    fn of(name: &str, size: Option<i64>) -> Self {
        let target = name::target(name);
        Self { provider: target.provider, model: target.model.to_string(), size }
    }
}

/// By which model documents are embedded.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Embedding")]
pub(crate) struct EmbeddingView {
    /// Whether the organisation chose it; else the installation's is used.
    chosen: bool,
    /// The model whose vectors answer.
    current: ModelView,
    /// The model that is taking its place; null when none is.
    coming: Option<ModelView>,
    /// How many percent of the passages it has embedded; null when there is none.
    percent: Option<i64>,
    /// Why the work does not go on for now. It is tried again; until then documents are found by their words.
    error: Option<Fault>,
    /// The work on it; null when nothing was ever chosen.
    job_id: Option<JobId>,
    updated_at: Option<Time>,
}

impl EmbeddingView {
    async fn read(tx: &mut Tx) -> store::Result<(i64, Self)> {
        let Some(row) = embedding::find(tx).await? else {
            let size = i64::try_from(::embedding::DIMENSIONS).ok();
            let current = ModelView::of(MODEL, size);
            let view = Self {
                chosen: false,
                current,
                coming: None,
                percent: None,
                error: None,
                job_id: None,
                updated_at: None,
            };
            return Ok((0, view));
        };
        let percent = match &row.coming {
            Some(coming) => Some(percent(tx, coming).await?),
            None => None,
        };
        let view = Self {
            chosen: row.choice.is_some(),
            current: ModelView::of(&row.current, row.size),
            coming: row.coming.as_deref().map(|coming| ModelView::of(coming, row.coming_size)),
            percent,
            error: row.fault.map(|fault| fault.0),
            job_id: Some(row.job_id),
            updated_at: Some(row.updated_at),
        };
        Ok((row.version, view))
    }
}

/// How far a model is. How many passages there are would tell of what colleagues keep private, so it is told in percent.
pub(crate) async fn percent(tx: &mut Tx, model: &str) -> store::Result<i64> {
    let (done, all) = embedding::progress(tx, model).await?;
    Ok(if all == 0 { 100 } else { done * 100 / all })
}

/// The row as it is now, or as it would be, and the work on it.
async fn begun<P: Requires>(caller: &Caller<P>, tx: &mut Tx, job: JobId) -> Result<(Option<Embedding>, Embedding)> {
    let before = embedding::find(tx).await?;
    let mut row = match &before {
        Some(row) => row.clone(),
        None => knowledge::first(caller.user(), job, caller.ambient().now()),
    };
    (row.job_id, row.made_by) = (job, caller.user());
    row.version += 1;
    // Whatever went wrong is tried again at once.
    (row.fault, row.failing_since) = (None, None);
    Ok((before, row))
}

/// Queues the work, before the choice is committed: nothing is ever committed that nobody comes for.
async fn queue<P: Requires>(caller: &Caller<P>) -> Result<JobId> {
    let mut tx = caller.begin_control().await?;
    let now = caller.ambient().now();
    let job = jobs::nudge(&mut tx, caller.org(), REEMBED, caller.org(), caller.user(), now).await?;
    tx.commit().await?;
    Ok(job)
}
