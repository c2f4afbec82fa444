//! Services outside that a person connects in the organisation they work in. Nobody else sees or uses them.

mod link;
mod list;
mod unlink;

use domain::Time;
use domain::connection::ConnectionKind;
use schemars::JsonSchema;
use serde::Serialize;
use store::Tx;
use store::org::connections::{self, Connection};

use crate::http::error::Result;
use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/user/connections", "Lists the services that can be connected, and whether they are.", list::list)
        .put("/api/v1/user/connections/notion", "Connects Notion with the token of an integration.", link::link)
        .delete("/api/v1/user/connections/notion", "Takes the connection to Notion away.", unlink::unlink)
}

/// A service, and whether it is connected. Its token is never shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Connection")]
pub(crate) struct ConnectionView {
    kind: ConnectionKind,
    /// Whether the caller has connected it here.
    linked: bool,
    /// What the service calls the place that was opened, if it says.
    workspace: Option<String>,
    linked_at: Option<Time>,
}

impl ConnectionView {
    fn of(kind: ConnectionKind, connection: Option<&Connection>) -> Self {
        Self {
            kind,
            linked: connection.is_some(),
            workspace: connection.and_then(|connection| connection.workspace.clone()),
            linked_at: connection.map(|connection| connection.created_at),
        }
    }
}

/// Each service that there is, for a person.
pub(super) async fn all(tx: &mut Tx, user: domain::UserId) -> Result<Vec<ConnectionView>> {
    let linked = connections::of_person(tx, user).await?;
    let view = |kind| ConnectionView::of(kind, linked.iter().find(|connection| connection.kind == kind));
    Ok(ConnectionKind::ALL.map(view).into())
}
