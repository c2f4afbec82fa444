//! `POST /api/v1/feedback`: tells those who run the installation what somebody thinks of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenancy::feedback::{self, Said};

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::{Problem, Result};
use crate::http::reply::Accepted;
use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.post("/api/v1/feedback", "Tells the operators what somebody thinks of the installation.", tell)
}

/// What somebody says.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GiveFeedback {
    /// In their words, at most 4,000 characters.
    text: String,
    /// How likely they would recommend it, from 0 to 10.
    #[serde(default)]
    score: Option<u8>,
    /// The page that they were on.
    #[serde(default)]
    page: Option<String>,
}

/// That it goes its way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FeedbackGiven")]
pub(crate) struct Given {
    /// `sent`.
    status: &'static str,
}

async fn tell(person: Person, Body(body): Body<GiveFeedback>) -> Result<Accepted<Given>> {
    if !person.house().rules.feedback {
        return Err(Problem::not_found());
    }
    let GiveFeedback { text, score, page } = body;
    let tx = feedback::tell(person.house(), person.user(), Said { text, score, page }, person.origin()).await?;
    person.commit(tx, Accepted(Given { status: "sent" })).await
}
