//! Requests without a network.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Client {
    pub(crate) router: Router,
    /// What goes into `Authorization: Bearer`.
    pub token: Option<String>,
    /// The refresh token, as long as it was not used.
    pub refresh: String,
    /// Their mail address.
    pub email: String,
    /// Who it is: `usr_...`.
    pub user: String,
    /// Their personal organisation: `org_...`.
    pub org: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl Answer {
    /// The text at a JSON pointer.
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn str(&self, pointer: &str) -> &str {
        self.json
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no text at {pointer} in {} {}", self.status, self.text))
    }

    /// The error's code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.json.pointer("/error/code").and_then(Value::as_str).unwrap_or("")
    }

    /// Checks the status and gives the answer back.
    /// # Panics
    /// When the status is another; shows the body.
    #[expect(
        clippy::return_self_not_must_use,
        clippy::must_use_candidate,
        reason = "often the status is all that matters"
    )]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }
}

impl Client {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            token: None,
            refresh: String::new(),
            email: String::new(),
            user: String::new(),
            org: String::new(),
            headers: Vec::new(),
        }
    }

    /// The same with a further header.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same with another credential, or none.
    #[must_use]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    /// The same with the tokens of an answer.
    #[must_use]
    pub fn with_tokens(&self, answer: &Answer) -> Self {
        let refresh = answer.str("/refresh_token").to_owned();
        Self { refresh, ..self.with_token(Some(answer.str("/access_token"))) }
    }

    /// The same, working in this organisation and no other.
    #[must_use]
    pub fn in_org(&self, org: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(name, _)| name != "x-rowhouse-org");
        other.with("x-rowhouse-org", org)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// POST of a file, as a form with the field `file`.
    pub async fn upload(&self, path: &str, name: &str, bytes: &[u8]) -> Answer {
        self.form(Method::POST, path, &[], name, bytes).await
    }

    /// A form with fields of text, and a file in the field `file`.
    /// # Panics
    /// When the request itself is malformed.
    pub async fn form(&self, method: Method, path: &str, fields: &[(&str, &str)], name: &str, bytes: &[u8]) -> Answer {
        const BOUNDARY: &str = "rowhouse-test-boundary";
        let part = |(name, value): &(&str, &str)| {
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let fields: String = fields.iter().map(part).collect();
        let head = format!(
            "{fields}--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: application/octet-stream\r\n\r\n"
        );
        let body = [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = self.request(method, path).header("content-type", kind);
        self.answer(request.body(Body::from(body)).expect("a good request")).await
    }

    /// POST of a body of JSON that comes bit by bit.
    /// # Panics
    /// When the request itself is malformed.
    pub async fn post_slowly(&self, path: &str, body: Body) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.answer(request.body(body).expect("a good request")).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// GET of server-sent events, which are read one by one.
    /// # Panics
    /// When it is refused.
    pub async fn listen(&self, path: &str) -> Listening {
        self.listen_to(Method::GET, path, None).await
    }

    /// Any request whose answer is server-sent events, which are read one by one.
    /// # Panics
    /// When it is refused.
    pub async fn listen_to(&self, method: Method, path: &str, body: Option<&Value>) -> Listening {
        let response = self.with("accept", "text/event-stream").respond(method, path, body).await;
        assert!(response.status().is_success(), "{}", response.status());
        Listening { body: response.into_body(), rest: String::new() }
    }

    /// Any request.
    /// # Panics
    /// When the request itself is malformed.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        read(self.respond(method, path, body).await).await
    }

    /// GET of a file, which is read bit by bit.
    /// # Panics
    /// When it is refused.
    pub async fn download(&self, path: &str) -> Download {
        let response = self.respond(Method::GET, path, None).await;
        assert_eq!(response.status().as_u16(), 200, "{path}");
        Download(response.into_body())
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        read(self.router.clone().oneshot(request).await.expect("the router answers")).await
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    async fn respond(&self, method: Method, path: &str, body: Option<&Value>) -> Response<Body> {
        let mut request = self.request(method, path);
        let body = match body {
            None => Body::empty(),
            Some(Value::String(raw)) => {
                request = request.header("content-type", "application/json");
                Body::from(raw.clone())
            }
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
        };
        let request = request.body(body).expect("a good request");
        self.router.clone().oneshot(request).await.expect("the router answers")
    }
}

/// An answer, read to its end.
async fn read(response: Response<Body>) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.into_body().collect().await.expect("a whole body").to_bytes();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, headers, text, json }
}

/// A file on its way.
#[derive(Debug)]
pub struct Download(Body);

impl Download {
    /// What comes next; none at the end, an error when it ends before that.
    pub async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        let frame = self.0.frame().await?;
        Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
    }
}

/// Server-sent events on their way.
#[derive(Debug)]
pub struct Listening {
    body: Body,
    rest: String,
}

impl Listening {
    /// The next event with data, comments left out: its name and its data. None at the end.
    /// # Panics
    /// When nothing comes for twenty seconds, or what comes is no event.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.rest.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
                };
                let found = field("event").zip(field("data"));
                let rest = rest.to_owned();
                self.rest = rest;
                if let Some((name, data)) = found {
                    return Some((name, serde_json::from_str(&data).expect("JSON")));
                }
            }
            let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame());
            let frame = frame.await.expect("something comes in time")?.expect("a frame");
            let data = frame.into_data().expect("data");
            self.rest.push_str(std::str::from_utf8(&data).expect("text"));
        }
    }
}
