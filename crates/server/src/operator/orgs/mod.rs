//! All organisations of the installation: their names, plans and states, nothing of what is in them.

mod get;
mod list;
mod update;

use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/operator/orgs", "Lists all organisations.", list::list)
        .get("/api/v1/operator/orgs/{organisation}", "Shows an organisation.", get::get)
        .patch("/api/v1/operator/orgs/{organisation}", "Changes an organisation's status or plan.", update::update)
}
