//! What says who calls, for whom and about what comes once. Of two that differ, whatever stands before this server may have judged by
//! the one, and this server would go by the other.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::caller::session_cookies;
use super::error::Problem;
use crate::App;

/// Headers of which one value is read.
const ONCE: [&str; 9] = [
    "host",
    "authorization",
    "x-api-key",
    "x-rowhouse-org",
    "x-rowhouse-project",
    "x-rowhouse-csrf",
    "idempotency-key",
    "if-match",
    "content-type",
];

/// Refuses a request that brings one of them twice, the same value too; a browser's other cookies are no concern of ours.
pub(crate) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let twice = ONCE.into_iter().find(|name| headers.get_all(*name).iter().nth(1).is_some());
    let twice = twice.map(|name| format!("The header {name}")).or_else(|| {
        let mut cookies = session_cookies(headers, &app.house.rules.public_url);
        cookies.nth(1).map(|_| "The cookie of a session".to_owned())
    });
    match twice {
        Some(what) => {
            let message = format!("{what} came more than once; send one.");
            Problem::new("invalid_request", message).into_response()
        }
        None => next.run(request).await,
    }
}
