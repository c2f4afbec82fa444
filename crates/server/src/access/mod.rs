//! Access: why somebody may or may not do a thing.

mod explain;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.get(
        "/api/v1/access/explain",
        "Explains why somebody may or may not do a thing; about oneself anybody may ask.",
        explain::explain,
    )
}
