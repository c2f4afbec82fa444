//! What operators of the installation do. For everybody else these paths do not exist.
//!
//! An organisation is called `{organisation}` in these paths: `{org_id}` would select among the caller's own.

mod erasures;
mod mail_domains;
mod mails;
mod orgs;
mod overrides;
mod people;
mod plans;
mod schema;
mod system;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = orgs::routes(routes);
    let routes = overrides::routes(routes);
    let routes = people::routes(routes);
    let routes = erasures::routes(routes);
    let routes = mail_domains::routes(routes);
    let routes = mails::routes(routes);
    let routes = routes.get("/api/v1/operator/plans", "Lists the plans on offer.", plans::plans);
    let routes = routes.get("/api/v1/operator/system", "Shows how the installation is.", system::system);
    routes.get("/api/v1/operator/schema", "Shows the schema of the data, with its hash.", schema::schema)
}
