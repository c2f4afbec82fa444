//! How a bucket is spoken to: over the one way out, to the one host that the operator named, without following anybody elsewhere.

use std::time::Duration;

use egress::{Egress, Endpoint, Limits, Policy, Request};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};

/// What is taken of a server: a piece must have gone up within the first of these times.
const PATIENT: Limits = Limits {
    head: Duration::from_mins(1),
    idle: Duration::from_secs(30),
    total: Duration::from_mins(2),
    size: 16 << 20,
};
/// What is taken of it while others wait for who asks.
const HASTY: Limits =
    Limits { head: Duration::from_secs(2), idle: Duration::from_secs(2), total: Duration::from_secs(2), size: 1 << 20 };

/// The way to one server.
#[derive(Debug, Clone)]
pub(super) struct Wire(Egress, Limits);

impl Wire {
    pub(super) fn new(policy: Policy) -> Self {
        Self(Egress::new(policy), PATIENT)
    }

    /// For what is asked while others wait for who asks.
    pub(super) fn hasty(policy: Policy) -> Self {
        Self(Egress::new(policy), HASTY)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let endpoint = Endpoint::with_query(&head.uri.to_string())
            .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let body = body.collect().await?.to_bytes();
        let request = Request { method: head.method, endpoint, headers: head.headers, body, limits: self.1 };
        let answer = self.0.send(request).await.map_err(told)?;
        let (status, headers) = (answer.status, answer.headers);
        // No answer is longer than a window, or a page of a list.
        let body = answer.body.whole().await.map_err(told)?;
        let mut response = HttpResponse::new(HttpResponseBody::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// What went wrong, as far as it says whether another try may help.
fn told(error: egress::Error) -> HttpError {
    let kind = match &error {
        egress::Error::Refused(_) | egress::Error::TooLarge(_) => HttpErrorKind::Unknown,
        error if error.timed_out() => HttpErrorKind::Timeout,
        egress::Error::Broken(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Connect,
    };
    HttpError::new(kind, error)
}

impl HttpService for Wire {
    fn call<'s, 'f>(&'s self, request: HttpRequest) -> BoxFuture<'f, Result<HttpResponse, HttpError>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(self.send(request))
    }
}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}
