//! Streams of events that go on until their listener leaves, may hear no more, or the server stops.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described};
use aide::{OperationInput, OperationOutput};
use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use domain::OrgId;
use futures_util::stream;
use store::{Origin, Scope};
use tokio::time::Instant;

use super::caller::Shown;
use super::error::Problem;
use super::events::{ALIVE, EVENTS, described, streamed};
use crate::App;

/// How often the listener's rights are looked at again.
const AGAIN: Duration = Duration::from_secs(4);
/// How often something is sent at least, so that everybody on the way knows that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream may wait for what comes next before it looks whether the server is about to stop.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// What a stream tells.
pub(crate) trait Tells: Send + Sized + 'static {
    /// What it tells, as the OpenAPI document has it.
    const DESCRIPTION: &'static str;

    /// What comes next; waits for [`LOOK`] at most.
    fn next(&mut self) -> impl Future<Output = Next> + Send;

    /// Whether the listener may hear more, with their rights as they are now.
    fn may_go_on(&mut self, scope: Scope) -> impl Future<Output = bool> + Send;
}

/// How a stream goes on.
pub(crate) enum Next {
    /// With an event, as it is sent.
    Event(String),
    /// With nothing by now.
    Quiet,
    /// With nothing by now; what the listener may do may be another than before, so it is looked at before what comes next.
    Regranted,
    /// Not at all.
    End,
}

/// A caller who asks for a stream of events.
pub(crate) struct Listener {
    shown: Shown,
    accepts: bool,
}

impl FromRequestParts<App> for Listener {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let mut kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or("").trim());
        let accepts = kinds.any(|kind| kind.eq_ignore_ascii_case(EVENTS));
        Ok(Self { shown: Shown::from_request_parts(parts, app).await?, accepts })
    }
}

impl OperationInput for Listener {}

impl Listener {
    /// Begins to tell.
    /// # Errors
    /// 400 for who does not accept a stream; last, so that nobody learns by it what they may not see.
    pub(crate) fn hears<T: Tells>(self, app: App, scope: &Scope, tells: T) -> super::error::Result<Listening<T>> {
        if !self.accepts {
            let text = "This is a stream: ask for it with `Accept: text/event-stream`.";
            return Err(Problem::new("invalid_request", text));
        }
        let (org, origin, now) = (scope.org(), scope.origin().clone(), Instant::now());
        Ok(Listening { app, shown: self.shown, org, origin, tells, checked: now, spoken: now, begun: false })
    }
}

/// The answer that is such a stream.
pub(crate) struct Listening<T> {
    app: App,
    shown: Shown,
    org: OrgId,
    origin: Origin,
    tells: T,
    checked: Instant,
    spoken: Instant,
    begun: bool,
}

impl<T: Tells> Listening<T> {
    /// What is sent next; none at the end.
    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.begun, true) {
            return Some(": listening\n\n".into());
        }
        loop {
            if self.app.is_draining() {
                return None;
            }
            let next = self.tells.next().await;
            // Looked at before anything is sent, so a reader who was slow to read gets nothing from after their rights ended.
            let is_due = self.checked.elapsed() >= AGAIN || matches!(next, Next::Regranted);
            if is_due && !self.may_go_on().await {
                return None;
            }
            let text = match next {
                Next::Event(text) => text,
                Next::Quiet if self.spoken.elapsed() >= HEARTBEAT => ALIVE.into(),
                Next::Quiet | Next::Regranted => continue,
                Next::End => return None,
            };
            self.spoken = Instant::now();
            return Some(text);
        }
    }

    async fn may_go_on(&mut self) -> bool {
        let Ok(scope) = self.shown.again(&self.app, self.org, &self.origin).await else { return false };
        let may = self.tells.may_go_on(scope).await;
        self.checked = Instant::now();
        may
    }
}

impl<T: Tells> IntoResponse for Listening<T> {
    fn into_response(self) -> Response {
        streamed(stream::unfold(self, async |mut listening| {
            let text = listening.next().await?;
            Some((Ok::<_, Infallible>(Bytes::from(text)), listening))
        }))
    }
}

impl<T: Tells> OperationOutput for Listening<T> {
    type Inner = String;
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        described(T::DESCRIPTION)
    }
}
