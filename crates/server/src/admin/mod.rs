//! What those who run an organisation see of its use.

mod users;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.get("/api/v1/admin/users", "Lists the members with their last activity and cost.", users::users)
}
