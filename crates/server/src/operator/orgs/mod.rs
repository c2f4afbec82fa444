//! All organisations of the installation: their names, plans and states, nothing of what is in them.

mod get;
mod list;
mod update;

use std::collections::BTreeMap;

use domain::limits::Period;
use domain::time_zone::TimeZoneName;
use domain::{OrgId, Time};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::frozen::Frozen;
use store::control::organisations::Organisation;
use store::control::overrides;
use store::{ControlTx, Engine, Store};

use crate::http::error::Result;
use crate::orgs::OrgView;
use crate::routes::Routes;

/// An organisation, as its operator sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OperatedOrganization")]
pub(crate) struct OperatedOrg {
    #[serde(flatten)]
    organisation: OrgView,
    /// Since when its file lies in the bucket, for nobody used it; null when it is at hand.
    cold_since: Option<Time>,
    /// How many bytes that is.
    cold_bytes: Option<i64>,
    /// How many bytes its store takes, originals aside, wherever it lies; null when it cannot be had now. On PostgreSQL all of it must be
    /// looked at for that: null in lists.
    size_bytes: Option<i64>,
    /// What it spent this month by its own clocks, in millionths of a US dollar; null when that cannot be had now.
    spent_micros: Option<i64>,
    /// How many exceptions from its plan hold now.
    exceptions: i64,
    /// What is wrong with its file; null when it is well, as far as the server that answers knows.
    trouble: Option<String>,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// What is known at once.
    Brief,
    /// Whatever it takes.
    Full,
}

/// What is told of several organisations beside what their rows say.
struct Outlines<'s> {
    store: &'s Store,
    troubled: BTreeMap<OrgId, String>,
    exceptions: BTreeMap<OrgId, i64>,
}

impl<'s> Outlines<'s> {
    /// For the organisations from the first to the last.
    async fn read(store: &'s Store, tx: &mut ControlTx, first: OrgId, last: OrgId) -> Result<Self> {
        let exceptions = overrides::standing(tx, first, last, store.ambient().now()).await?.into_iter().collect();
        Ok(Self { store, troubled: store.troubled().into_iter().collect(), exceptions })
    }

    async fn of(&self, organisation: Organisation, frozen: Option<Frozen>, look: Look) -> OperatedOrg {
        let id = organisation.id;
        // One without a hash is on its way.
        let frozen = frozen.filter(|frozen| !frozen.hash.is_empty());
        let zone = TimeZoneName::new(&organisation.time_zone).unwrap_or_else(|_| TimeZoneName::utc());
        let month = Period::Month.around(self.store.ambient().now(), &zone);
        let size_bytes = match &frozen {
            Some(frozen) => Some(frozen.bytes),
            None if look == Look::Full || self.store.engine() == Engine::Sqlite => {
                known(id, self.store.size_of(id).await)
            }
            None => None,
        };
        OperatedOrg {
            organisation: organisation.into(),
            cold_since: frozen.as_ref().map(|frozen| frozen.created_at),
            cold_bytes: frozen.map(|frozen| frozen.bytes),
            size_bytes,
            spent_micros: known(id, self.store.spent_by(id, month).await),
            exceptions: self.exceptions.get(&id).copied().unwrap_or(0),
            trouble: self.troubled.get(&id).cloned(),
        }
    }
}

/// One organisation that is busy or broken must not hide all others.
fn known(org: OrgId, figure: store::Result<i64>) -> Option<i64> {
    figure.inspect_err(|error| tracing::warn!(%org, %error, "an organisation could not be looked at from outside")).ok()
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/operator/orgs", "Lists all organisations.", list::list)
        .get("/api/v1/operator/orgs/{organisation}", "Shows an organisation.", get::get)
        .patch("/api/v1/operator/orgs/{organisation}", "Changes an organisation's status or plan.", update::update)
}
