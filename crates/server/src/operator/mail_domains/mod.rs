//! The mail domains that organisations have claimed, and the operator's word for one.

mod list;
mod vouch;

use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(
            "/api/v1/operator/orgs/{organisation}/mail-domains",
            "Lists the mail domains that an organisation has claimed.",
            list::list,
        )
        .post(
            "/api/v1/operator/orgs/{organisation}/mail-domains/{id}/verify",
            "Marks a claimed mail domain as proven.",
            vouch::vouch,
        )
}
