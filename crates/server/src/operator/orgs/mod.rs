//! All organisations of the installation: their names, plans and states, nothing of what is in them.

mod get;
mod list;
mod update;

use domain::Time;
use schemars::JsonSchema;
use serde::Serialize;
use store::control::frozen::Frozen;
use store::control::organisations::Organisation;

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
}

impl OperatedOrg {
    fn new(organisation: Organisation, frozen: Option<Frozen>) -> Self {
        // One without a hash is on its way.
        let frozen = frozen.filter(|frozen| !frozen.hash.is_empty());
        Self {
            organisation: organisation.into(),
            cold_since: frozen.as_ref().map(|frozen| frozen.created_at),
            cold_bytes: frozen.map(|frozen| frozen.bytes),
        }
    }
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/operator/orgs", "Lists all organisations.", list::list)
        .get("/api/v1/operator/orgs/{organisation}", "Shows an organisation.", get::get)
        .patch("/api/v1/operator/orgs/{organisation}", "Changes an organisation's status or plan.", update::update)
}
