//! A server that is told things by webhooks: it answers as it is told to, and forgets nothing.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Duration, timeout};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path and query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: String,
}

impl Received {
    /// A header as text.
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// The body as JSON.
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// It answers this status.
    Status(u16),
    /// It sends the caller elsewhere.
    Redirect(String),
    /// It answers 200, and then a body without end.
    Endless,
    /// It never answers.
    Silence,
}

struct Told {
    next: Mutex<VecDeque<Reaction>>,
    usual: Mutex<Reaction>,
    received: UnboundedSender<Received>,
}

/// The server. Ends with the runtime of the test.
pub struct Receiver {
    address: SocketAddr,
    told: Arc<Told>,
    received: UnboundedReceiver<Received>,
}

impl Receiver {
    /// Starts one that answers 204 to everything.
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, received) = unbounded_channel();
        let told =
            Arc::new(Told { next: Mutex::default(), usual: Mutex::new(Reaction::Status(204)), received: sender });
        let router = Router::new().fallback(answer).with_state(told.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, told, received }
    }

    /// An address of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request without a reaction of its own, and all after it, are answered so.
    pub fn always(&self, reaction: Reaction) {
        *self.told.usual.lock().unwrap_or_else(PoisonError::into_inner) = reaction;
    }

    /// One more of the next requests is answered so.
    pub fn once(&self, reaction: Reaction) {
        self.told.next.lock().unwrap_or_else(PoisonError::into_inner).push_back(reaction);
    }

    /// The next request.
    /// # Panics
    /// When none comes within twenty seconds.
    pub async fn next(&mut self) -> Received {
        let next = timeout(Duration::from_secs(20), self.received.recv()).await;
        next.expect("told in time").expect("the server runs")
    }

    /// Whether nothing came besides what was asked for.
    #[must_use]
    pub fn is_silent(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

async fn answer(State(told): State<Arc<Told>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let next = told.next.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let reaction = next.unwrap_or_else(|| told.usual.lock().unwrap_or_else(PoisonError::into_inner).clone());
    let body = String::from_utf8_lossy(&body).into_owned();
    let _ = told.received.send(Received { path: uri.to_string(), headers, body });
    match reaction {
        Reaction::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Reaction::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response(),
        Reaction::Silence => std::future::pending().await,
        Reaction::Endless => {
            let part = Bytes::from(vec![b'x'; 65536]);
            let parts = futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(part.clone()));
            axum::body::Body::from_stream(parts).into_response()
        }
    }
}
