//! Aliases: names that an organisation or a project gives to models, each with whom to ask, in order.

pub(super) mod delete;
pub(super) mod get;
pub(super) mod list;
pub(super) mod put;

use domain::models::AliasName;
use domain::{ProjectId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::aliases::Alias;

use super::list::TargetView;
use crate::http::error::{Problem, Result};

/// A name for models.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Alias")]
pub(crate) struct AliasView {
    /// What to send as `model`.
    alias: AliasName,
    /// The project it is for; the whole organisation when null.
    project_id: Option<ProjectId>,
    /// Whom to ask, in order: the next one when one cannot answer.
    targets: Vec<TargetView>,
    /// Who said so last; none for `fast`, `cheap` and `best` as they come.
    made_by: Option<UserId>,
    created_at: Option<Time>,
    updated_at: Option<Time>,
}

impl From<Alias> for AliasView {
    fn from(alias: Alias) -> Self {
        let targets = alias.targets.0.into_iter();
        Self {
            alias: alias.name,
            project_id: alias.project_id,
            targets: targets
                .map(|target| TargetView { provider: target.provider, model: target.model.to_string() })
                .collect(),
            made_by: Some(alias.made_by),
            created_at: Some(alias.created_at),
            updated_at: Some(alias.updated_at),
        }
    }
}

/// A name out of a path, which can be another one than any that there could be.
fn name(text: &str) -> Result<AliasName> {
    text.parse().map_err(|error: domain::models::InvalidAlias| Problem::field("alias", error.to_string()))
}
