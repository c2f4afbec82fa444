//! The credential that a request shows: read from its headers, checked by the store, and how fresh its proof is.

use std::convert::Infallible;
use std::time::Duration;

use aide::OperationInput;
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use domain::{OrgId, Time};
use store::audit::Event;
use store::{Credential, Origin, Principal, Refusal, Scope, Stop, Store};
use subtle::ConstantTimeEq;

use super::entering::turned_away;
use crate::App;
use crate::http::cors;
use crate::http::error::{Problem, Result};
use crate::http::renewal::renew;

/// The cookie of browser sessions; `__Host-` needs https, which a laptop has not.
fn cookie_name(public_url: &str) -> &'static str {
    if public_url.starts_with("https://") { "__Host-rh_session" } else { "rh_session" }
}

/// The header that gives a browser the secret of its session, to be kept for a time or until it is closed.
pub(crate) fn session_cookie(public_url: &str, secret: &str, keep: Option<Duration>) -> Option<HeaderValue> {
    let name = cookie_name(public_url);
    let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
    let keep = keep.map_or_else(String::new, |keep| format!("; Max-Age={}", keep.as_secs()));
    HeaderValue::from_str(&format!("{name}={secret}; Path=/{secure}; HttpOnly; SameSite=Lax{keep}")).ok()
}

/// The secrets of sessions that a browser sent: one, unless another page of the same host set a second cookie of the name.
pub(crate) fn session_cookies<'h>(headers: &'h HeaderMap, public_url: &str) -> impl Iterator<Item = &'h str> + use<'h> {
    let name = cookie_name(public_url);
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
}

/// The token or key, and the cookie, that a request shows.
fn presented<'p>(parts: &'p Parts, app: &App) -> (Option<&'p str>, Option<&'p str>) {
    let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let bearer = header(AUTHORIZATION).map(|value| value.strip_prefix("Bearer ").unwrap_or("").trim());
    // Anthropic's clients show a key in a header of their own.
    let bearer = bearer.or_else(|| {
        let header = parts.headers.get("x-api-key").filter(|_| parts.uri.path().starts_with("/v1/"))?;
        header.to_str().ok().map(str::trim)
    });
    (bearer, session_cookies(&parts.headers, &app.house.rules.public_url).next())
}

pub(super) async fn authenticate(parts: &Parts, app: &App, origin: &Origin) -> Result<Principal> {
    let credential = match presented(parts, app) {
        (Some(text), _) => Credential::Bearer(text),
        (None, Some(secret)) => Credential::Cookie(secret),
        (None, None) => return Err(refuse(app, origin, Refusal::Missing)),
    };
    let principal = match app.house.store.authenticate(credential, origin).await {
        Ok(principal) => principal,
        Err(Stop::Refused(refusal)) => return Err(refuse(app, origin, refusal)),
        Err(Stop::Failed(error)) => return Err(error.into()),
    };
    if let Some(session) = principal.session().filter(|session| session.browser)
        && !parts.method.is_safe()
        && !(shows_token(parts, &csrf(&app.house.store, session.id)) && comes_from_a_known_page(parts, app))
    {
        turned_away(app, &principal, origin, Event::new("access.denied", session.id), Refusal::Forged).await;
        return Err(refuse(app, origin, Refusal::Forged));
    }
    renew(parts, app, &principal, origin).await?;
    Ok(principal)
}

/// Whether a request brings the token of its session; compared in constant time, since it opens what the cookie alone does not.
fn shows_token(parts: &Parts, token: &str) -> bool {
    let sent = parts.headers.get("x-rowhouse-csrf").map_or(&b""[..], HeaderValue::as_bytes);
    sent.ct_eq(token.as_bytes()).into()
}

/// Whether a request with a cookie comes from a page of the own site, or of a site that is listed, or from no page at all.
fn comes_from_a_known_page(parts: &Parts, app: &App) -> bool {
    if cors::listed(&app.limits.origins, &parts.headers).is_some() {
        return true;
    }
    match parts.headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => parts.headers.get(ORIGIN).is_none_or(|origin| *origin == *app.house.rules.public_url),
    }
}

/// How long a factor counts as just shown (security facts, section 5).
pub(crate) const FRESH: Duration = Duration::from_mins(10);

/// The credential of a request that goes on for long, to be shown again while it does.
pub(crate) struct Shown {
    bearer: Option<String>,
    cookie: Option<String>,
}

impl FromRequestParts<App> for Shown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let (bearer, cookie) = presented(parts, app);
        Ok(Self { bearer: bearer.map(str::to_owned), cookie: cookie.map(str::to_owned) })
    }
}

impl OperationInput for Shown {}

impl Shown {
    /// The scope that the credential opens now.
    pub(crate) async fn again(&self, app: &App, org: OrgId, origin: &Origin) -> Result<Scope, Stop> {
        let credential = match (&self.bearer, &self.cookie) {
            (Some(text), _) => Credential::Bearer(text),
            (None, Some(secret)) => Credential::Cookie(secret),
            (None, None) => return Err(Refusal::Missing.into()),
        };
        let principal = app.house.store.authenticate_again(credential, origin).await?;
        app.house.store.enter(&principal, Some(org), None, origin.clone()).await
    }
}

/// Refuses a caller who has not shown a factor of late. A key has none to show.
pub(super) fn require_fresh(principal: &Principal, now: Time) -> tenancy::Result<()> {
    let Some(session) = principal.session() else {
        let text = "An API key cannot do this; it takes a person who is signed in.";
        return Err(tenancy::Error::Forbidden(text.into()));
    };
    if now.since(session.proven_at) <= FRESH { Ok(()) } else { Err(tenancy::Error::StepUp) }
}

/// The token that a page of the own site sends with each change; bound to the session.
pub(crate) fn csrf(store: &Store, session: domain::SessionId) -> String {
    store.fingerprint("csrf", session.to_string().as_bytes())[..16]
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Refuses, and notes why for `rowhouse auth explain`.
pub(super) fn refuse(app: &App, origin: &Origin, refusal: Refusal) -> Problem {
    app.note_refusal(&origin.request_id, refusal);
    metrics::counter!("rowhouse_refusals_total", "check" => format!("{refusal:?}")).increment(1);
    Stop::Refused(refusal).into()
}
