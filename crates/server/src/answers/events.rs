//! An answer as JSON, or, for who asks for `text/event-stream`, its steps as they are made and then the same JSON as the event `message`.

use std::convert::Infallible;

use aide::OperationInput;
use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described};
use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::App;
use crate::http::error::{Problem, Result};
use crate::http::layers::current_request_id;
use crate::http::reply::Reply;

/// Steps that wait for a slow reader; more are left out.
const WAITING: usize = 16;

/// How the client wants to be told.
pub(crate) struct Told {
    events: bool,
}

impl FromRequestParts<App> for Told {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let accept = parts.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        Ok(Self { events: accept.split(',').any(|kind| kind.trim().starts_with("text/event-stream")) })
    }
}

impl OperationInput for Told {}

/// Where steps are said; nobody need listen.
#[derive(Clone)]
pub(crate) struct Steps(Option<mpsc::Sender<String>>);

impl Steps {
    pub(crate) fn say(&self, event: &str, data: &impl Serialize) {
        if let Some(steps) = &self.0 {
            let _ = steps.try_send(told(event, data));
        }
    }
}

fn told(event: &str, data: &impl Serialize) -> String {
    format!("event: {event}\ndata: {}\n\n", serde_json::to_string(data).unwrap_or_default())
}

/// The answer, or the stream of its steps.
pub(crate) enum Progress<R> {
    Whole(R),
    Steps(mpsc::Receiver<String>),
}

impl Told {
    /// Starts the work and tells of it. It goes on to its end when nobody listens any more.
    pub(crate) async fn of<R, F>(self, work: impl FnOnce(Steps) -> F) -> Result<Progress<R>>
    where
        R: Reply + Send + 'static,
        F: Future<Output = Result<R>> + Send + 'static,
    {
        let panicked = |error: tokio::task::JoinError| Problem::internal(format!("answering panicked: {error}"));
        if !self.events {
            return tokio::spawn(work(Steps(None))).await.map_err(panicked)?.map(Progress::Whole);
        }
        let (steps, heard) = mpsc::channel(WAITING);
        let request_id = current_request_id();
        let work = tokio::spawn(work(Steps(Some(steps.clone()))));
        tokio::spawn(async move {
            let last = match work.await.map_err(panicked).flatten() {
                Ok(reply) => told("message", &reply.body()),
                Err(problem) => told("error", &problem.envelope(request_id)),
            };
            let _ = steps.send(last).await;
        });
        Ok(Progress::Steps(heard))
    }
}

impl<R: IntoResponse> IntoResponse for Progress<R> {
    fn into_response(self) -> Response {
        match self {
            Self::Whole(reply) => reply.into_response(),
            Self::Steps(heard) => {
                let events = stream::unfold(heard, async |mut heard| {
                    let text = heard.recv().await?;
                    Some((Ok::<_, Infallible>(Bytes::from(text)), heard))
                });
                let headers = [(CONTENT_TYPE, "text/event-stream; charset=utf-8"), (CACHE_CONTROL, "no-store")];
                (headers, Body::from_stream(events)).into_response()
            }
        }
    }
}

impl<R: OperationOutput> OperationOutput for Progress<R> {
    type Inner = R::Inner;
    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        R::operation_response(ctx, operation)
    }
    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let mut all = R::inferred_responses(ctx, operation);
        for (_, described) in &mut all {
            described.content.insert("text/event-stream".to_owned(), MediaType::default());
        }
        all
    }
}
