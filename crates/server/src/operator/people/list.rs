//! `GET /api/v1/operator/people`: lists people, perhaps those whose mail address holds a text.

use schemars::JsonSchema;
use serde::Deserialize;
use store::control::people;

use super::PersonView;
use crate::http::body::Query;
use crate::http::caller::Operator;
use crate::http::cursor;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Page};

/// The longest text to look for; no mail address is longer.
const LONGEST: usize = 254;

/// Which people, and which page of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListPeople {
    /// A text that the mail address must hold, such as `ann@` or `@example.com`; upper and lower case count as the same.
    #[serde(default)]
    email: String,
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

pub(crate) async fn list(operator: Operator, Query(query): Query<ListPeople>) -> Result<Found<Page<PersonView>>> {
    let limit = cursor::limit(query.limit)?;
    if query.email.len() > LONGEST || !query.email.bytes().all(|byte| byte.is_ascii_graphic()) {
        let rule = format!("must be a part of a mail address: at most {LONGEST} visible ASCII characters");
        return Err(Problem::field("email", rule));
    }
    let filters = serde_json::json!({ "email": query.email });
    let bound = operator.person().list(&format!("operator/people {filters}"));
    let after = bound.read(query.cursor.as_deref())?;
    let mut tx = operator.person().store().read_control().await?;
    let rows = people::list(&mut tx, &query.email, after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |person| person.id).map(PersonView::from)))
}
