//! An organisation with a collection of documents: filled past the door, searched through it.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use domain::CollectionId;
use domain::text::{CollectionName, Description};
use http_body_util::BodyExt as _;
use hyper::{Request, StatusCode};
use serde_json::{Value, json};
use server::{App, Limits};
use store::audit::Event;
use store::org::knowledge::chunks::{self, Draft};
use store::org::knowledge::collections::{self, Collection, Reach};
use store::org::knowledge::documents::{self, Document, Status};
use store::org::knowledge::versions::{self, Version};
use store::{Credential, Json, Origin, Scope};
use tenancy::House;
use tower::ServiceExt as _;

use crate::inside::sign_up;

/// Documents that are added in one transaction.
const AT_ONCE: usize = 200;

/// The server of a house, in process: everything but the network.
pub(super) fn server(house: &House) -> Router {
    let (router, _) = server::router(&App::new(house.clone(), Limits::default()));
    server::listen::in_process(router, SocketAddr::from(([127, 0, 0, 1], 4711)))
}

/// A document that is already split.
pub(crate) struct Entry {
    /// The name of its file.
    pub(crate) name: String,
    /// Its passages.
    pub(crate) passages: Vec<Draft>,
    /// Their vectors; none for a document that is not embedded yet.
    pub(crate) vectors: Vec<[f32; embedding::DIMENSIONS]>,
}

/// The organisation.
pub(crate) struct Library {
    pub(crate) house: House,
    n: usize,
    pub(crate) scope: Scope,
    pub(crate) collection: CollectionId,
    /// The number that its passages carry.
    pub(super) number: i64,
}

impl Library {
    /// The organisation of the n-th person, with an empty collection.
    pub(crate) async fn found(house: &House, n: usize) -> anyhow::Result<Self> {
        let person = sign_up(house, n).await?;
        let store = &house.store;
        let principal = store.authenticate(Credential::Bearer(&person.tokens.access), &Origin::default()).await?;
        let scope = store.enter(&principal, Some(person.organisation.id), None, Origin::default()).await?;
        let ambient = store.ambient();
        let collection = Collection {
            id: ambient.id(),
            number: 0,
            project_id: None,
            name: CollectionName::new("Handbook")?,
            description: Description::new("")?,
            access: Reach::Project,
            made_by: scope.user(),
            version: 1,
            created_at: ambient.now(),
            updated_at: ambient.now(),
            retain_days: None,
            due_at: None,
            within: None,
        };
        let mut tx = store.open(&scope).begin().await?;
        collections::insert(&mut tx, &collection).await?;
        tx.record(Event::new("collection.created", collection.id)).await?;
        let number = collections::get(&mut tx, collection.id).await?.number;
        tx.commit().await?;
        Ok(Self { house: house.clone(), n, scope, collection: collection.id, number })
    }

    /// Adds documents as the work on them leaves them behind.
    pub(crate) async fn add(&self, entries: &[Entry]) -> anyhow::Result<()> {
        for some in entries.chunks(AT_ONCE) {
            let mut tx = self.house.store.open(&self.scope).begin().await?;
            for entry in some {
                let document = self.document(entry);
                documents::insert(&mut tx, &document).await?;
                let version = Version {
                    document_id: document.id,
                    number: 1,
                    name: document.name.clone(),
                    content_hash: document.content_hash.clone(),
                    size: document.size,
                    made_by: document.made_by,
                    created_at: document.created_at,
                };
                versions::insert(&mut tx, &version).await?;
                chunks::replace(&mut tx, document.id, &entry.passages).await?;
                let count = i64::try_from(entry.passages.len())?;
                documents::show(&mut tx, document.id, 1, None, "text", count).await?;
                if entry.vectors.is_empty() {
                    continue;
                }
                let made = chunks::list(&mut tx, document.id, None, count).await?;
                for (chunk, vector) in made.iter().zip(&entry.vectors) {
                    let vector = knowledge::stored(vector, chunk.number, self.number);
                    chunks::embed(&mut tx, knowledge::MODEL, &vector).await?;
                }
                chunks::count_embedded(&mut tx, document.id, knowledge::MODEL).await?;
            }
            // One entry for all: what each costs in the log is measured elsewhere.
            tx.record(Event::new("documents.added", self.collection)).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// How many passages its documents have.
    pub(crate) async fn passages(&self) -> anyhow::Result<usize> {
        Ok(self.documents().await?.iter().map(|document| usize::try_from(document.passages).unwrap_or(0)).sum())
    }

    /// How many of them have a vector.
    pub(crate) async fn embedded(&self) -> anyhow::Result<usize> {
        Ok(self.documents().await?.iter().map(|document| usize::try_from(document.embedded).unwrap_or(0)).sum())
    }

    async fn documents(&self) -> anyhow::Result<Vec<Document>> {
        let mut tx = self.house.store.open(&self.scope).read().await?;
        Ok(documents::list(&mut tx, self.collection, None, 10_000).await?)
    }

    fn document(&self, entry: &Entry) -> Document {
        let ambient = self.house.store.ambient();
        Document {
            id: ambient.id(),
            collection_id: self.collection,
            title: entry.name.clone(),
            titled: false,
            name: entry.name.clone(),
            source: "upload".into(),
            kind: "text".into(),
            tags: Json(Vec::new()),
            status: Status::Queued,
            fault: None,
            content_hash: "0".repeat(64),
            size: entry.passages.iter().map(|passage| passage.ends).max().unwrap_or(0),
            latest: 1,
            shown: 0,
            passages: 0,
            embedded: 0,
            job_id: ambient.id(),
            made_by: self.scope.user(),
            version: 1,
            created_at: ambient.now(),
            updated_at: ambient.now(),
        }
    }

    /// Somebody of the organisation who searches, at a server of the same house.
    pub(super) async fn reader(&self, server: &Router) -> anyhow::Result<Reader> {
        Self::reader_of(server, self.n).await
    }

    /// The same for the organisation of the n-th person, whoever filled it.
    pub(super) async fn reader_of(server: &Router, n: usize) -> anyhow::Result<Reader> {
        let body = json!({ "email": format!("person{n}@example.com"), "password": "wet paint on the porch" });
        let request = Request::post("/api/v1/auth/login").header("content-type", "application/json");
        let (status, answer) = call(server, request.body(Body::from(body.to_string()))?).await?;
        anyhow::ensure!(status == StatusCode::OK, "signing in answered {status}: {answer}");
        let token = answer["access_token"].as_str().context("no token")?;
        Ok(Reader { server: server.clone(), bearer: format!("Bearer {token}") })
    }
}

/// Somebody who searches.
#[derive(Clone)]
pub(super) struct Reader {
    server: Router,
    bearer: String,
}

impl Reader {
    /// How many passages a search finds, ten at most.
    pub(super) async fn search(&self, query: &str) -> anyhow::Result<usize> {
        let request = Request::post("/api/v1/search")
            .header("authorization", &self.bearer)
            .header("content-type", "application/json")
            .body(Body::from(json!({ "query": query }).to_string()))?;
        let (status, answer) = call(&self.server, request).await?;
        anyhow::ensure!(status == StatusCode::OK, "a search answered {status}: {answer}");
        Ok(answer["results"].as_array().context("no results")?.len())
    }

    /// Uploads a file into a collection.
    pub(super) async fn upload(&self, collection: CollectionId, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        const BOUNDARY: &str = "rowhouse-bench-boundary";
        let head = format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        let body = [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
        let request = Request::post(format!("/api/v1/collections/{collection}/documents"))
            .header("authorization", &self.bearer)
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(Body::from(body))?;
        let (status, answer) = call(&self.server, request).await?;
        anyhow::ensure!(status == StatusCode::ACCEPTED, "an upload of {name} answered {status}: {answer}");
        Ok(())
    }
}

async fn call(server: &Router, request: Request<Body>) -> anyhow::Result<(StatusCode, Value)> {
    let answer = server.clone().oneshot(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}
