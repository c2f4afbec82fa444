//! What a question means, by the model whose vectors answer in the organisation.

use std::sync::Arc;
use std::time::Duration;

use ::embedding::Embedder;
use domain::OrgId;
use knowledge::models::{Refusal, checked};
use knowledge::{MODEL, Meaning};
use metering::rules::Spender;
use store::org::knowledge::embedding::{self, Embedding};
use store::{Scope, Tx};

use super::Asker;
use crate::App;

/// Organisations whose model is remembered.
const ORGANISATIONS: u64 = 50_000;
/// How long a search waits for a model elsewhere; then it goes by words alone.
const PATIENCE: Duration = Duration::from_secs(5);

/// The model that each organisation's questions were last embedded by. It may have changed: the transaction that searches says.
#[derive(Clone)]
pub(crate) struct Answering(moka::sync::Cache<OrgId, Arc<str>>);

impl Default for Answering {
    fn default() -> Self {
        Self(moka::sync::Cache::new(ORGANISATIONS))
    }
}

/// What a question means, if that could be told.
pub(crate) struct Meant {
    pub(crate) model: Arc<str>,
    pub(crate) outcome: Result<Vec<f32>, Refusal>,
}

impl Meant {
    /// The model whose vectors answer, as far as is known: the transaction that searches says whether it is ([`Meant::other`]).
    pub(crate) async fn model(app: &App, scope: &Scope) -> store::Result<Arc<str>> {
        let model = app.answering.0.get(&scope.org()).unwrap_or_else(|| Arc::from(MODEL));
        if *model == *MODEL {
            return Ok(model);
        }
        // Nobody elsewhere hears a question who is not to answer any more.
        let mut tx = app.house.store.open(scope).read().await?;
        Ok(Arc::from(embedding::current(&mut tx).await?.as_deref().unwrap_or(MODEL)))
    }

    /// The model whose vectors answer in a transaction, when it is another one.
    pub(crate) async fn other(app: &App, scope: &Scope, tx: &mut Tx, model: &str) -> store::Result<Option<Arc<str>>> {
        let row = embedding::find(tx).await?;
        follow(app, scope, row.as_ref());
        let now = row.as_ref().map_or(MODEL, |row| row.current.as_str());
        if *now == *model {
            return Ok(None);
        }
        let now: Arc<str> = Arc::from(now);
        app.answering.0.insert(scope.org(), now.clone());
        Ok(Some(now))
    }

    /// What a question means to a model.
    pub(crate) async fn of(app: &App, scope: &Scope, spender: Spender, model: &Arc<str>, text: &str) -> Self {
        let outcome = embed(app, scope, spender, model, text).await;
        if let Err(refusal) = &outcome {
            tracing::warn!(org = %scope.org(), code = refusal.fault.code, "searched by words alone");
        }
        Self { model: model.clone(), outcome }
    }

    pub(crate) fn meaning(&self) -> Option<Meaning<'_>> {
        let vector = self.outcome.as_deref().ok()?;
        Some(Meaning { model: &self.model, vector })
    }
}

async fn embed(app: &App, scope: &Scope, spender: Spender, model: &str, text: &str) -> Result<Vec<f32>, Refusal> {
    if model == MODEL {
        let embedded = Embedder::shared().query(text).await;
        return embedded.map(|one| one.vector.to_vec()).map_err(|error| Refusal::new("busy", error.to_string()));
    }
    let asker = Asker::new(app.models.clone(), app.door.clone());
    let vectors = tokio::time::timeout(PATIENCE, asker.ask(scope, spender, model, vec![text.to_owned()])).await;
    let late = || Refusal::new("upstream_timeout", "The embedding model's server did not answer in time.");
    let vectors = checked(vectors.map_err(|_| late())??, 1, None)?;
    vectors.into_iter().next().ok_or_else(late)
}

/// Lets an organisation that chose nothing have what the operator says by now.
fn follow(app: &App, scope: &Scope, row: Option<&Embedding>) {
    let Some(intake) = app.intake.as_ref().filter(|intake| intake.is_behind(row)) else { return };
    let (intake, scope) = (intake.clone(), scope.clone());
    tokio::spawn(async move {
        if let Err(error) = intake.queue_reembed(&scope, scope.user()).await {
            tracing::warn!(%error, "the installation's embedding model is followed later");
        }
    });
}
