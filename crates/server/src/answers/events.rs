//! An answer as JSON, or, for who asks for `text/event-stream`, its steps as they are made and then the same JSON as the event `message`.

use std::convert::Infallible;
use std::time::Duration;

use aide::OperationInput;
use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described};
use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::sync::mpsc;

use crate::App;
use crate::http::error::{Problem, Result};
use crate::http::events::{ALIVE, EVENTS, event, streamed};
use crate::http::idempotency::StoresLater;
use crate::http::layers::current_request_id;
use crate::http::outliving::{Outliving, Panicked, Unattended};
use crate::http::reply::Reply;

/// Steps that wait for a slow reader; then the model waits, too.
const WAITING: usize = 16;
/// After so long without a step the reader is told that there is still somebody.
const QUIET: Duration = Duration::from_secs(10);

/// How the client wants to be told.
pub(crate) struct Told {
    events: bool,
    unattended: Unattended,
}

impl FromRequestParts<App> for Told {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let events = accept.split(',').any(|kind| kind.trim().starts_with(EVENTS));
        Ok(Self { events, unattended: app.unattended.clone() })
    }
}

impl OperationInput for Told {}

/// What happens on the way to an answer.
#[derive(Debug)]
pub(crate) enum Step {
    /// The passages are looked for.
    Searching,
    /// So many were found that can support an answer.
    Found(usize),
    /// The model says this; nothing in it would be fetched. It is not yet checked.
    Delta(String),
}

/// Where steps are said.
pub(crate) struct Steps(Option<Listener>);

struct Listener {
    told: mpsc::Sender<Bytes>,
    /// How a step is put into words; some are not told at all.
    words: fn(&Step, &str) -> Option<String>,
    /// What the words begin with where each step repeats it.
    head: String,
    /// Whether what was told cannot be taken back by what comes last.
    is_final: bool,
}

impl Steps {
    /// Nobody listens: there is the answer alone.
    pub(crate) fn unheard() -> Self {
        Self(None)
    }

    /// Steps that somebody hears as events, the last of which says what counts.
    fn heard() -> (Self, Heard) {
        Self::heard_as(as_event, String::new(), false)
    }

    /// Steps that somebody hears, put into words by `words`, which is given `head` each time.
    pub(crate) fn heard_as(words: fn(&Step, &str) -> Option<String>, head: String, is_final: bool) -> (Self, Heard) {
        let (told, waiting) = mpsc::channel(WAITING);
        (Self(Some(Listener { told, words, head, is_final })), Heard { told: waiting, first: None })
    }

    /// Whether what was told cannot be taken back.
    pub(crate) fn are_final(&self) -> bool {
        self.0.as_ref().is_some_and(|listener| listener.is_final)
    }

    /// Whether somebody listens.
    pub(crate) fn are_heard(&self) -> bool {
        self.0.is_some()
    }

    /// Tells a step, as soon as the listener has room. One who is gone hears nothing; [`Steps::gone`] says so.
    pub(crate) async fn say(&self, step: Step) {
        if let Some(Listener { told, words, head, .. }) = &self.0
            && let Some(text) = words(&step, head)
        {
            let _ = told.send(text.into()).await;
        }
    }

    /// Tells words as they are.
    pub(crate) async fn tell(&self, text: String) {
        if let Some(listener) = &self.0 {
            let _ = listener.told.send(text.into()).await;
        }
    }

    /// Waits until the listener is gone; for ever when there was none, since then the answer is wanted all the same.
    pub(crate) async fn gone(&self) {
        match &self.0 {
            Some(listener) => listener.told.closed().await,
            None => std::future::pending().await,
        }
    }
}

/// The listener's end.
#[derive(Debug)]
pub(crate) struct Heard {
    told: mpsc::Receiver<Bytes>,
    first: Option<Bytes>,
}

impl Heard {
    /// Waits for the first words; whether there are any.
    pub(crate) async fn begins(&mut self) -> bool {
        self.first = self.told.recv().await;
        self.first.is_some()
    }

    /// The steps as they come, with a comment where there is none for long: so that nobody on the way takes it for dead.
    pub(crate) fn stream(self, quiet: Duration) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        stream::unfold(self, move |mut heard| async move {
            if let Some(first) = heard.first.take() {
                return Some((Ok(first), heard));
            }
            let text = match tokio::time::timeout(quiet, heard.told.recv()).await {
                Ok(text) => text?,
                Err(_) => Bytes::from_static(ALIVE.as_bytes()),
            };
            Some((Ok(text), heard))
        })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "others leave steps out")]
fn as_event(step: &Step, _: &str) -> Option<String> {
    Some(match step {
        Step::Searching => event("searching", &json!({})),
        Step::Found(passages) => event("found", &json!({ "passages": passages })),
        Step::Delta(text) => event("delta", &json!({ "content": text })),
    })
}

/// The answer, or the stream of its steps.
pub(crate) enum Progress<R> {
    Whole(R),
    Steps(Heard),
}

impl Told {
    /// Does the work and tells of it. It gives nothing when its listener has gone meanwhile.
    pub(crate) async fn of<R, F>(self, work: impl FnOnce(Steps) -> F + Send + 'static) -> Result<Progress<R>>
    where
        R: Reply + Send + 'static,
        F: Future<Output = Result<Option<R>>> + Send + 'static,
    {
        if !self.events {
            let answer = work(Steps::unheard()).await?;
            return answer.map(Progress::Whole).ok_or_else(|| Problem::internal("nobody could have gone"));
        }
        let (steps, heard) = Steps::heard();
        let (last, request_id) = (steps.0.as_ref().map(|listener| listener.told.clone()), current_request_id());
        let unattended = self.unattended.clone();
        self.unattended.spawn(async move {
            let panicked = |Panicked(why)| Problem::internal(format!("answering panicked: {why}"));
            let text = match Outliving::new(&unattended, work(steps)).await.map_err(panicked).flatten() {
                Ok(Some(reply)) => event("message", &reply.body()),
                Ok(None) => return,
                Err(problem) => event("error", &problem.envelope(request_id)),
            };
            if let Some(last) = last {
                let _ = last.send(text.into()).await;
            }
        });
        Ok(Progress::Steps(heard))
    }
}

impl<R: IntoResponse> IntoResponse for Progress<R> {
    fn into_response(self) -> Response {
        match self {
            Self::Whole(reply) => reply.into_response(),
            Self::Steps(heard) => events(heard),
        }
    }
}

/// Steps on their way.
pub(crate) fn events(heard: Heard) -> Response {
    let mut response = streamed(heard.stream(QUIET));
    response.extensions_mut().insert(StoresLater);
    response
}

impl<R: OperationOutput> OperationOutput for Progress<R> {
    type Inner = R::Inner;
    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        R::operation_response(ctx, operation)
    }
    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let mut all = R::inferred_responses(ctx, operation);
        for (_, described) in &mut all {
            described.content.insert(EVENTS.to_owned(), MediaType::default());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_quiet_time_is_bridged_and_loses_nothing() {
        let (steps, heard) = Steps::heard();
        let mut heard = Box::pin(heard.stream(Duration::from_millis(5)));
        let mut next =
            async || String::from_utf8(heard.next().await.expect("something").expect("bytes").to_vec()).expect("text");
        assert_eq!((next().await.as_str(), next().await.as_str()), (ALIVE, ALIVE));
        steps.say(Step::Delta("nine".into())).await;
        assert_eq!(next().await, "event: delta\ndata: {\"content\":\"nine\"}\n\n");
        drop(heard);
        steps.gone().await;
    }
}
