//! New secrets for browser sessions after a change of roles: the next request that shows the old one is answered with the new one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use store::{Origin, Principal};

use super::caller::session_cookie;
use super::error::Result;
use crate::App;

/// Where a gate leaves the cookie for the answer, whatever the answer will be.
#[derive(Clone, Default)]
pub(crate) struct Renewal(Arc<Mutex<Option<HeaderValue>>>);

impl Renewal {
    /// Adds the cookie to an answer, unless the answer sets one of its own: that is younger.
    pub(crate) fn dress(&self, headers: &mut HeaderMap) {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(cookie) = left.filter(|_| !headers.contains_key(header::SET_COOKIE)) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// Renews the session that a request shows, if it is to be.
pub(super) async fn renew(parts: &Parts, app: &App, principal: &Principal, origin: &Origin) -> Result<()> {
    let Some(session) = principal.session().filter(|session| session.renew) else { return Ok(()) };
    let store = &app.house.store;
    let secret = tenancy::sessions::new_secret(&app.house);
    if store.renew_session(principal, &secret, origin).await?
        && let Some(renewal) = parts.extensions.get::<Renewal>()
    {
        let keep: Option<Duration> = session.remembered_until.map(|until| until.since(store.ambient().now()));
        let cookie = session_cookie(&app.house.rules.public_url, &secret, keep);
        *renewal.0.lock().unwrap_or_else(PoisonError::into_inner) = cookie;
    }
    Ok(())
}
