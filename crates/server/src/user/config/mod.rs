//! Each person's configuration in each of their organisations. Nobody else sees it.

mod get;
mod list;
mod restore;
mod update;

use domain::Time;
use domain::config::{Config, Settings};
use domain::time_zone::TimeZoneName;
use schemars::JsonSchema;
use serde::Serialize;
use store::org::configs;

use crate::http::error::{Problem, Result};
use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/user/config", "Shows the own configuration.", get::get)
        .patch("/api/v1/user/config", "Changes the own configuration.", update::update)
        .get("/api/v1/user/config/versions", "Lists earlier versions of the own configuration.", list::list)
        .put("/api/v1/user/config/restore", "Goes back to an earlier version.", restore::restore)
}

/// A configuration: what holds, with defaults for what was never set.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UserConfig")]
pub(crate) struct ConfigView {
    #[serde(flatten)]
    settings: Settings,
    /// Counts changes; 0 before the first.
    version: i64,
    /// When this version was written; none before the first.
    updated_at: Option<Time>,
}

impl ConfigView {
    /// `zone` is the organisation's.
    fn of(stored: Option<&configs::Config>, zone: &TimeZoneName) -> Result<Self> {
        Ok(Self {
            settings: parse(stored)?.settings(zone),
            version: stored.map_or(0, |stored| stored.version),
            updated_at: stored.map(|stored| stored.created_at),
        })
    }
}

fn parse(stored: Option<&configs::Config>) -> Result<Config> {
    let Some(stored) = stored else { return Ok(Config::default()) };
    serde_json::from_str(&stored.value)
        .map_err(|error| Problem::internal(format!("a stored configuration does not read: {error}")))
}
