//! From the name of a model to those who serve it.

use std::sync::Arc;

use metering::rules::Spender;
use store::Scope;

use super::models::Model;
use crate::App;
use crate::http::error::Result;
use crate::models::Resolved;

/// Where a call of a model can go, in the order in which it is tried.
pub(crate) async fn resolve(app: &App, scope: &Scope, spender: Spender, model: &str) -> Result<Arc<Resolved>> {
    Ok(app.models.resolve(scope, spender.user, spender.project, model).await?)
}

/// The models that somebody can use, and the names that stand for some of them.
pub(super) async fn models(app: &App, scope: &Scope, spender: Spender) -> Result<Vec<Model>> {
    let usable = app.models.usable(scope, spender.project).await?;
    Ok(usable.into_iter().map(|model| Model::new(model.id, model.provider_name.unwrap_or_default())).collect())
}
