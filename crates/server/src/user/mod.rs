//! The caller as a person.

mod profile;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.get("/api/v1/user/profile", "Shows the caller's profile.", profile::get::get).patch(
        "/api/v1/user/profile",
        "Changes the caller's profile.",
        profile::update::update,
    )
}
