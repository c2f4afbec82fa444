//! `GET /api/v1/about`: what a page must know of the installation before anybody has signed in.

use schemars::JsonSchema;
use serde::Serialize;

use crate::http::caller::Visitor;
use crate::http::reply::Found;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.get("/api/v1/about", "Says what everybody may know of the installation.", about)
}

/// The installation, for everybody.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct About {
    /// The public address.
    url: String,
    /// Whether a mail address must be verified before the first sign-in.
    verifies_mail: bool,
    /// Whether `POST /api/v1/feedback` is there.
    feedback: bool,
}

async fn about(visitor: Visitor) -> Found<About> {
    let rules = &visitor.house().rules;
    Found(About { url: rules.public_url.clone(), verifies_mail: rules.verify_mail, feedback: rules.feedback })
}
