//! Models: which there are for whom, whom to ask for each, and the names that organisations give them.

mod aliases;
mod directory;
mod get;
mod heard;
mod installation;
mod list;
mod resolve;
pub(crate) mod upstream;
mod usual;

pub(crate) use directory::{ALIASES, Models, OWN_PROVIDERS, SHARED_PROVIDERS};
pub use installation::Installation;
pub(crate) use resolve::{ITSELF, Resolved, Unresolved};

use crate::http::error::Problem;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/models", "Lists the models and aliases that the caller can use, with prices.", list::list)
        .get("/api/v1/models/{model}", "Shows whom a model or an alias leads to.", get::get)
        .get("/api/v1/models/aliases", "Lists the names that the organisation gives to models.", aliases::list::list)
        .get("/api/v1/models/aliases/{alias}", "Shows whom a name means.", aliases::get::get)
        .put("/api/v1/models/aliases/{alias}", "Says whom a name means, in order.", aliases::put::put)
        .delete("/api/v1/models/aliases/{alias}", "Takes a name away.", aliases::delete::delete)
}

impl From<Unresolved> for Problem {
    fn from(unresolved: Unresolved) -> Self {
        let near = match unresolved {
            Unresolved::Store(error) => return error.into(),
            Unresolved::Unknown { near } => near,
        };
        let hint = match near.as_slice() {
            [] => "GET /api/v1/models lists those that there are".to_owned(),
            names => format!("did you mean {}?", names.join(" or ")),
        };
        let message = format!("There is no model of this name with a known price that you can use; {hint}");
        Self { param: Some("model".into()), ..Self::new("model_not_found", message) }
    }
}
