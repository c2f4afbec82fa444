//! What the answer says of rate limits: left by whoever asked the gatekeeper, added when the answer goes out.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use metering::rates::Headers;

tokio::task_local! {
    static ALLOWANCE: Allowance;
}

/// Where headers are left for the answer.
#[derive(Clone, Default)]
pub(super) struct Allowance(Arc<Mutex<Headers>>);

impl Allowance {
    /// Runs what serves the request.
    pub(super) fn scope<F: Future>(self, serving: F) -> impl Future<Output = F::Output> {
        ALLOWANCE.scope(self, serving)
    }

    /// Adds what was left. `Retry-After` may stand there already.
    pub(super) fn dress(&self, headers: &mut HeaderMap) {
        let left = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, value) in left {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Leaves headers for the answer to the request that this task serves; the last that are left are sent.
pub(crate) fn say(headers: Headers) {
    let _ = ALLOWANCE.try_with(|allowance| *allowance.0.lock().unwrap_or_else(PoisonError::into_inner) = headers);
}
