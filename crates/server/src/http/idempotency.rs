//! `Idempotency-Key`: a POST that is sent twice takes effect once.
//!
//! The answer is stored, sealed, in the transaction of the effect, so that there is never one without the other. Flows that commit by
//! themselves are the exception (sign-ins, factors, mailed links): theirs is stored right after, and a crash between the two leaves an
//! effect without an answer (`remember` in `caller/entering.rs`).
//!
//! A key belongs to its organisation, caller and route; it is kept for 24 hours. Of an answer that lets its holder in (a sign-in's tokens)
//! only that it was given is kept: whoever repeats the request learns that, and no more. An answer that tells of documents is forgotten
//! with the first of them that is deleted.
//!
//! A form with a file is too large to be hashed before it is let in: its route reads it, and says what it was ([`Claim::stands_for`],
//! [`Replay::require`]) before the key counts.
//!
//! Calls of models, in the words of their makers (`/v1/`), take no key: those clients know none, a call that is repeated is another
//! call, and what models say is not kept.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body as RawBody;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::DocumentId;
use serde_json::Value;
use store::idempotency::{FORGOTTEN, KEPT};
use store::keys::sha256;
use store::{ControlTx, Recall, Store, Tx};

use super::error::{Problem, Result};
use super::reply::{Reply, keep, replay};
use crate::App;

const LONGEST: usize = 255;

/// Stands in the place of the status of an answer that was given once and not kept.
const GIVEN: i64 = 0;

/// The keys whose first request is running in this process.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<HashSet<[u8; 32]>>>);

/// Marks an answer that goes out while its effect is still to come: steps, of which the last is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoresLater;

/// A key as it came with a request, before the caller is known.
#[derive(Clone)]
pub(crate) struct Presented {
    key: String,
    /// What was sent; none while that is still to be read.
    request: Option<[u8; 32]>,
    claimed: Arc<AtomicBool>,
    stored: Arc<AtomicBool>,
}

/// A key that was claimed for this request; the answer must be stored with the effect.
pub(crate) struct Claim {
    scope: [u8; 32],
    request: Option<[u8; 32]>,
    stored: Arc<AtomicBool>,
    running: Running,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.scope);
    }
}

/// Reads the key and hashes the body, for POST requests that bring one.
pub(super) async fn presenting(app: App, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || request.uri().path().starts_with("/v1/") {
        return next.run(request).await;
    }
    let Some(key) = request.headers().get("idempotency-key") else { return next.run(request).await };
    let key = match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST => key.to_owned(),
        _ => {
            return Problem::new("invalid_request", "Idempotency-Key must be 1 to 255 visible ASCII characters.")
                .into_response();
        }
    };
    if super::upload::is_multipart(request.headers()) {
        let presented = Presented { key, request: None, claimed: Arc::default(), stored: Arc::default() };
        let mut request = request;
        request.extensions_mut().insert(presented);
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = match super::body::read(Request::from_parts(parts.clone(), body), app.limits.body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let presented = Presented { key, request: Some(sha256(&body)), claimed: Arc::default(), stored: Arc::default() };
    let mut request = Request::from_parts(parts, RawBody::from(body));
    request.extensions_mut().insert(presented.clone());
    let response = next.run(request).await;
    let lost = response.status().is_success()
        && response.extensions().get::<StoresLater>().is_none()
        && presented.claimed.load(Ordering::SeqCst)
        && !presented.stored.load(Ordering::SeqCst);
    // Not a refusal, since the effect is there; but a route that forgets to store its answer is a defect that tests must see.
    debug_assert!(!lost, "a POST route took effect without storing its answer for the Idempotency-Key");
    response
}

/// What claiming a key leads to.
pub(crate) enum Outcome {
    /// Go on, and store the answer.
    Claimed(Claim),
    /// The answer was given before.
    Replayed(Replay),
}

/// An answer that was given before, as it was kept.
#[derive(Debug)]
pub(crate) struct Replay {
    request: Vec<u8>,
    /// None of an answer that was forgotten with a document.
    kept: Option<(u16, Vec<u8>)>,
}

impl IntoResponse for Replay {
    fn into_response(self) -> Response {
        match self.kept {
            Some((status, kept)) => replay(status, &kept),
            None => Problem::new(
                "answer_deleted",
                "This request took effect, and is not done again; a document that its answer told of was deleted since.",
            )
            .into_response(),
        }
    }
}

impl Presented {
    /// Claims the key for a caller and a route.
    pub(crate) async fn claim(&self, app: &App, who: &str, route: &str, recall: Recall<'_>) -> Result<Outcome> {
        let scope = sha256(format!("{who}\n{route}\n{}", self.key));
        if !app.running.0.lock().unwrap_or_else(PoisonError::into_inner).insert(scope) {
            return Err(
                Problem::new("request_running", "A request with this Idempotency-Key is still running.").retry_after(1)
            );
        }
        let claim = Claim { scope, request: self.request, stored: self.stored.clone(), running: app.running.clone() };
        self.claimed.store(true, Ordering::SeqCst);
        let store = &app.house.store;
        if let Some(stored) = store.recall(recall, scope, store.ambient().now() - KEPT).await? {
            if self.request.is_some_and(|request| stored.request != request) {
                return Err(mismatch());
            }
            if stored.status == GIVEN {
                return Err(Problem::new(
                    "already_done",
                    "This request took effect, and its answer is given once: it lets its holder in. Sign in again.",
                ));
            }
            let kept = if stored.status == FORGOTTEN {
                None
            } else {
                let status = u16::try_from(stored.status).unwrap_or(200);
                Some((status, store.unseal(&place(&scope), &stored.response)?))
            };
            self.stored.store(true, Ordering::SeqCst);
            return Ok(Outcome::Replayed(Replay { request: stored.request, kept }));
        }
        Ok(Outcome::Claimed(claim))
    }
}

fn mismatch() -> Problem {
    Problem::new("idempotency_mismatch", "This Idempotency-Key was used with another body.")
}

impl Replay {
    /// Refuses when what came in a form is not what the answer was given to.
    pub(crate) fn require(&self, form: [u8; 32]) -> Result<()> {
        if self.request == form { Ok(()) } else { Err(mismatch()) }
    }
}

fn place(scope: &[u8; 32]) -> String {
    scope.iter().fold("idempotency ".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The documents that an answer tells of.
fn documents<R: Reply>(reply: &R) -> Result<BTreeSet<DocumentId>> {
    let body = reply.body().map(serde_json::to_value).transpose();
    let mut found = BTreeSet::new();
    gather(&body.map_err(|error| Problem::internal(error.to_string()))?.unwrap_or_default(), &mut found);
    Ok(found)
}

/// Wherever something of a document is told, it is named beside it. A text of somebody that looks like an id is none: it is not called so.
fn gather(value: &Value, found: &mut BTreeSet<DocumentId>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_id = matches!(name.as_str(), "id" | "document_id");
                found.extend(value.as_str().filter(|_| is_id).and_then(|text| text.parse::<DocumentId>().ok()));
                gather(value, found);
            }
        }
        _ => {}
    }
}

impl Claim {
    /// Says what came in a form.
    pub(crate) fn stands_for(&mut self, form: [u8; 32]) {
        self.request = Some(form);
    }

    fn request(&self) -> Result<[u8; 32]> {
        self.request.ok_or_else(|| Problem::internal("a route stored its answer before it said what came in the form"))
    }

    fn sealed<R: Reply>(&self, store: &Store, reply: &R) -> Result<(i64, Vec<u8>)> {
        if !R::KEPT {
            return Ok((GIVEN, Vec::new()));
        }
        let kept = keep(reply).map_err(|error| Problem::internal(error.to_string()))?;
        Ok((R::STATUS.as_u16().into(), store.seal(&place(&self.scope), &kept)))
    }

    pub(crate) async fn store_in_org<R: Reply>(&self, store: &Store, tx: &mut Tx, reply: &R) -> Result<()> {
        let (status, sealed) = self.sealed(store, reply)?;
        tx.remember(self.scope, self.request()?, status, sealed, &documents(reply)?).await?;
        self.stored.store(true, Ordering::SeqCst);
        Ok(())
    }

    pub(crate) async fn store_in_control<R: Reply>(&self, store: &Store, tx: &mut ControlTx, reply: &R) -> Result<()> {
        debug_assert!(documents(reply)?.is_empty(), "an answer that tells of documents is kept where they are");
        let (status, sealed) = self.sealed(store, reply)?;
        tx.remember(self.scope, self.request()?, status, sealed).await?;
        self.stored.store(true, Ordering::SeqCst);
        Ok(())
    }
}
