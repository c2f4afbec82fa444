//! The caller as a person: their profile, and in the organisation they work in their configuration and connections.

mod config;
mod connections;
mod profile;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = config::routes(routes);
    let routes = connections::routes(routes);
    routes
        .get("/api/v1/user/profile", "Shows the caller's profile.", profile::get::get)
        .patch("/api/v1/user/profile", "Changes the caller's profile.", profile::update::update)
        .delete(
            "/api/v1/user/profile",
            "Deletes the caller's account; for 30 days it can be kept.",
            profile::delete::delete,
        )
        .post("/api/v1/user/profile/restore", "Keeps an account that is to be deleted.", profile::restore::restore)
}
