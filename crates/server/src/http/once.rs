//! What says who calls, for whom and about what comes once. Of two that differ, whatever stands before this server may have judged by
//! the one, and this server would go by the other.

use axum::http::{HeaderMap, HeaderName, header};

use super::caller::session_cookies;
use super::error::{Problem, Result};
use crate::App;

/// Headers of which one value is read.
static ONCE: [HeaderName; 9] = [
    header::HOST,
    header::AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-rowhouse-org"),
    HeaderName::from_static("x-rowhouse-project"),
    HeaderName::from_static("x-rowhouse-csrf"),
    HeaderName::from_static("idempotency-key"),
    header::IF_MATCH,
    header::CONTENT_TYPE,
];

/// Refuses a request that brings one of them twice, the same value too; a browser's other cookies are no concern of ours.
pub(super) fn require(app: &App, headers: &HeaderMap) -> Result<()> {
    let twice = ONCE.iter().find(|name| headers.get_all(*name).iter().nth(1).is_some());
    let twice = twice.map(|name| format!("The header {name}")).or_else(|| {
        let mut cookies = session_cookies(headers, &app.house.rules.public_url);
        cookies.nth(1).map(|_| "The cookie of a session".to_owned())
    });
    match twice {
        Some(what) => Err(Problem::new("invalid_request", format!("{what} came more than once; send one."))),
        None => Ok(()),
    }
}
