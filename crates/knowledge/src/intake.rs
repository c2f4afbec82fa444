//! How a document comes in: its original is read apart, its passages take the place of earlier ones in one transaction and are found
//! by their words from then on; their vectors follow.
//!
//! Each step can be repeated. A document whose work was cut off is claimed again when the lease has run out.

use std::sync::Arc;
use std::time::Duration;

use ::embedding::Embedder;
use documents::apart::Reader;
use documents::{Document as Content, Limits, Shape, passages};
use store::control::jobs::{self, Job};
use store::org::knowledge::chunks::{self, Draft};
use store::org::knowledge::documents::{self as rows, Fault, Status};
use store::org::knowledge::embedding;
use store::org::knowledge::versions;
use store::{Json, Scope, Store, Turn};

use crate::MODEL;
use crate::models::{Elsewhere, Nowhere};
pub use crate::reembed::REEMBED;

/// The kind of job that reads a document.
pub const READ: &str = "read";
/// The kind of job that embeds the passages of a document.
pub const EMBED: &str = "embed";

/// How long a claim lasts that nobody prolongs.
pub const LEASE: Duration = Duration::from_mins(2);
/// How long a job waits for the document it was queued for.
const PATIENCE: Duration = Duration::from_mins(10);
/// How often a job that was just claimed looks for its reason before it is put back, and the pause between two looks.
pub(crate) const LOOKS: u32 = 20;
pub(crate) const MOMENT: Duration = Duration::from_millis(20);
/// How long it is put back for, at the least and at the most.
pub(crate) const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_mins(1);
/// How often a document is tried before it counts as failed.
const TRIES: i64 = 5;
/// Passages that are embedded between two looks at the lease.
const BATCH: i64 = 16;
/// Passages that one document can have.
const MOST_PASSAGES: usize = 100_000;

/// Why work on a document did not end well. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// No reader could be started.
    #[error("{0}")]
    Reader(String),
    /// The model has no room, or failed.
    #[error(transparent)]
    Model(#[from] ::embedding::Error),
}

/// Does the work on documents. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    store: Store,
    reader: Arc<Reader>,
    limits: Limits,
    elsewhere: Arc<dyn Elsewhere>,
}

impl Intake {
    /// Who reads documents by this reader.
    #[must_use]
    pub fn new(store: Store, reader: Reader) -> Self {
        Self { store, reader: Arc::new(reader), limits: Limits::default(), elsewhere: Arc::new(Nowhere) }
    }

    /// The same with somebody who asks models elsewhere.
    #[must_use]
    pub fn asking(self, elsewhere: Arc<dyn Elsewhere>) -> Self {
        Self { elsewhere, ..self }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn elsewhere(&self) -> &dyn Elsewhere {
        &*self.elsewhere
    }

    /// Claims one job of a kind and does it; says whether there was one.
    /// # Errors
    /// As the control database. What goes wrong with the job itself is noted there.
    pub async fn work(&self, kind: &'static str) -> store::Result<bool> {
        let Some(job) = jobs::take(&self.store, kind, LEASE).await? else { return Ok(false) };
        let outcome = match kind {
            READ => self.read(&job).await,
            REEMBED => self.reembed(&job).await,
            _ => self.embed(&job).await,
        };
        let now = self.store.ambient().now();
        let mut tx = self.store.begin_control(Turn::Free).await?;
        match outcome {
            // What it was about may be gone.
            Ok(Done::Done) | Err(Error::Store(store::Error::NotFound(_))) => jobs::done(&mut tx, &job).await?,
            // A document that only waits to be committed was not tried.
            Ok(Done::Later(pause)) if kind == READ => jobs::rest(&mut tx, &job, now + pause).await?,
            Ok(Done::Later(pause)) => jobs::later(&mut tx, &job, now + pause).await?,
            Err(error) => {
                tracing::warn!(job = %job.id(), org = %job.org(), attempts = job.attempts(), %error, "work on a document failed");
                let pause =
                    Duration::from_secs(2) * 2_u32.saturating_pow(u32::try_from(job.attempts().min(8)).unwrap_or(8));
                jobs::later(&mut tx, &job, now + pause).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn read(&self, job: &Job) -> Result<Done, Error> {
        let scope = self.store.enter_for(job).await?;
        let org = self.store.open(&scope);
        let Looked::Due(document) = self.look(&scope, job, |document| !is_read(document)).await? else {
            return Ok(self.perhaps_later(job));
        };
        // Whoever had it the last time never came back to say why: it may be what ended the server, and would again.
        if job.attempts() > TRIES {
            return self.give_up(&scope, job, &document, "it was begun too often and never ended").await;
        }
        let mut tx = org.read().await?;
        let version = versions::get(&mut tx, document.id, document.latest).await?;
        drop(tx);
        let mut tx = org.begin().await?;
        let mine = rows::progress(&mut tx, document.id, document.latest, Status::Processing, None).await?;
        tx.commit().await?;
        if !mine {
            return Ok(Done::Later(Duration::ZERO));
        }
        let content = match self.content(&scope, &version).await {
            Ok(content) => content,
            Err(Failed::Document(fault)) => {
                self.fail(&scope, &document, fault).await?;
                return Ok(Done::Done);
            }
            Err(Failed::Ours(error)) if job.attempts() >= TRIES => {
                return self.give_up(&scope, job, &document, &error.to_string()).await;
            }
            Err(Failed::Ours(error)) => return Err(error),
        };
        let (drafts, content) = split(content).await?;
        if drafts.len() > MOST_PASSAGES {
            let message =
                format!("The document has more than {MOST_PASSAGES} passages. Divide it and upload the parts.");
            self.fail(&scope, &document, Fault { code: "too_large".into(), message }).await?;
            return Ok(Done::Done);
        }
        let title = content.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
        let title: Option<String> = title.map(|title| title.chars().take(300).collect());
        let kept = serde_json::to_vec(&content).map_err(|error| store::Error::Bug(error.to_string()))?;
        let kind = serde_json::to_value(content.kind)
            .ok()
            .and_then(|kind| kind.as_str().map(str::to_owned))
            .unwrap_or_default();
        // Queued first: were it lost, nobody would come for the vectors.
        let mut tx = self.store.begin_control(Turn::Org(scope.org())).await?;
        jobs::queue(&mut tx, scope.org(), EMBED, document.id, job.user(), self.store.ambient().now()).await?;
        tx.commit().await?;
        let mut tx = org.begin().await?;
        let count = i64::try_from(drafts.len()).unwrap_or(i64::MAX);
        let text_bytes: usize = drafts.iter().map(|draft| draft.heading.len() + draft.text.len()).sum();
        let text_bytes = i64::try_from(text_bytes).unwrap_or(i64::MAX);
        if rows::show(&mut tx, document.id, document.latest, title.as_deref(), &kind, count).await? {
            versions::keep_content(&mut tx, document.id, document.latest, kept).await?;
            rows::weigh(&mut tx, document.id, text_bytes).await?;
            chunks::replace(&mut tx, document.id, &drafts).await?;
            tx.commit().await?;
        }
        self.store.wake_workers();
        Ok(Done::Done)
    }

    /// The document that a job is about, once it is as it must be for the work. A job is queued before its reason is committed, so a
    /// moment is waited for that.
    async fn look(&self, scope: &Scope, job: &Job, is_due: impl Fn(&rows::Document) -> bool) -> store::Result<Looked> {
        let mut looks = 0;
        loop {
            let mut tx = self.store.open(scope).read().await?;
            let found = rows::find(&mut tx, job.document()).await?;
            drop(tx);
            match found {
                Some(document) if is_due(&document) => return Ok(Looked::Due(Box::new(document))),
                Some(_) if looks == LOOKS => return Ok(Looked::Early),
                None if looks == LOOKS => return Ok(Looked::Nowhere),
                _ => tokio::time::sleep(MOMENT).await,
            }
            looks += 1;
        }
    }

    /// What a job is about may be about to be committed: it was queued before. So it is looked for again, ever more seldom.
    fn perhaps_later(&self, job: &Job) -> Done {
        let waited = self.waited(job);
        if waited < PATIENCE { Done::Later(waited.max(SHORTEST)) } else { Done::Done }
    }

    fn waited(&self, job: &Job) -> Duration {
        self.store.ambient().now().since(job.created_at())
    }

    async fn content(&self, scope: &Scope, version: &versions::Version) -> Result<Content, Failed> {
        let blobs = self.store.open(scope).blobs().await.map_err(|error| Failed::Ours(error.into()))?;
        let (hash, most) = (version.content_hash.clone(), self.limits.bytes);
        let read = tokio::task::spawn_blocking(move || blobs.read(&hash, most)).await;
        let bytes = match read.map_err(|error| Failed::Ours(Error::Reader(error.to_string())))? {
            Ok(bytes) => bytes,
            Err(store::Error::Refused(_)) => {
                let message = format!(
                    "The file is larger than the {} MiB that can be read. Divide it and upload the parts.",
                    most >> 20
                );
                return Err(Failed::Document(Fault { code: "too_large".into(), message }));
            }
            Err(store::Error::NotFound(_) | store::Error::Sealed(_)) => {
                let message = "The original is damaged or gone from this server's disk. Upload it again.";
                return Err(Failed::Document(Fault { code: "original_lost".into(), message: message.into() }));
            }
            Err(error) => return Err(Failed::Ours(error.into())),
        };
        let owner = scope.org().to_string();
        self.reader.read(&owner, &bytes, &version.name, None, &self.limits).await.map_err(|error| match error {
            documents::apart::Error::Unreadable(unreadable) => Failed::Document(Fault {
                code: serde_json::to_value(unreadable.code)
                    .ok()
                    .and_then(|code| code.as_str().map(str::to_owned))
                    .unwrap_or_else(|| "damaged".into()),
                message: unreadable.sentence,
            }),
            documents::apart::Error::Unavailable(why) => Failed::Ours(Error::Reader(why)),
        })
    }

    async fn fail(&self, scope: &Scope, document: &rows::Document, fault: Fault) -> store::Result<()> {
        let mut tx = self.store.open(scope).begin().await?;
        rows::progress(&mut tx, document.id, document.latest, Status::Failed, Some(&Json(fault))).await?;
        tx.commit().await
    }

    /// Leaves a document that this server could not read, whatever is wrong with it.
    async fn give_up(&self, scope: &Scope, job: &Job, document: &rows::Document, why: &str) -> Result<Done, Error> {
        tracing::error!(job = %job.id(), org = %job.org(), attempts = job.attempts(), why, "a document is given up");
        let message = "The document could not be read because of a fault of this server. Upload it again later.";
        self.fail(scope, document, Fault { code: "internal".into(), message: message.into() }).await?;
        Ok(Done::Done)
    }

    async fn embed(&self, job: &Job) -> Result<Done, Error> {
        let scope = self.store.enter_for(job).await?;
        let org = self.store.open(&scope);
        let mut told = false;
        loop {
            let document = match self.look(&scope, job, is_read).await? {
                Looked::Due(document) => document,
                Looked::Nowhere => return Ok(Done::Done),
                // Another version is being read: when that is done this is queued again. It may be that it was just now, and what was
                // read is about to be committed.
                Looked::Early => return Ok(Done::Later(self.waited(job).clamp(SHORTEST, LONGEST))),
            };
            let mut tx = org.read().await?;
            let row = embedding::find(&mut tx).await?;
            let inside = row.as_ref().is_none_or(|row| row.current == MODEL);
            let missing = chunks::without_vector(&mut tx, document.id, MODEL, BATCH).await?;
            drop(tx);
            if !inside || (!told && self.is_behind(row.as_ref())) {
                self.queue_reembed(&scope, job.user()).await?;
                told = true;
            }
            // Another model has to do with all passages at once.
            if !inside {
                return Ok(Done::Done);
            }
            if missing.is_empty() {
                return Ok(Done::Done);
            }
            let texts = missing.iter().map(|chunk| in_words(&chunk.heading, &chunk.text)).collect();
            let vectors = match Embedder::shared().passages(texts).await {
                Ok(vectors) => vectors,
                Err(::embedding::Error::Busy) => return Ok(Done::Later(Duration::from_secs(1))),
                Err(error) => return Err(error.into()),
            };
            let mut tx = org.begin().await?;
            // Another model may have taken its place meanwhile.
            if embedding::current(&mut tx).await?.is_some_and(|current| current != MODEL) {
                continue;
            }
            for (chunk, embedding) in missing.iter().zip(&vectors) {
                chunks::embed(&mut tx, MODEL, &crate::stored(&embedding.vector, chunk.number, chunk.collection))
                    .await?;
            }
            chunks::count_embedded(&mut tx, document.id, MODEL).await?;
            tx.commit().await?;
            let mut tx = self.store.begin_control(Turn::Free).await?;
            let mine = jobs::prolong(&mut tx, job, LEASE).await?;
            tx.commit().await?;
            if !mine {
                return Ok(Done::Done);
            }
        }
    }
}

/// Whether the newest version was read, or cannot be.
fn is_read(document: &rows::Document) -> bool {
    match document.status {
        Status::Ready => document.shown == document.latest,
        Status::Failed => true,
        Status::Queued | Status::Processing => false,
    }
}

/// What a job found of what it is about.
enum Looked {
    /// It is as it must be.
    Due(Box<rows::Document>),
    /// It is not so yet.
    Early,
    /// There is no such document, or not yet.
    Nowhere,
}

/// How work ended.
pub(crate) enum Done {
    Done,
    Later(Duration),
}

enum Failed {
    Document(Fault),
    Ours(Error),
}

/// What of a passage is embedded: its headings say what it is about.
pub(crate) fn in_words(heading: &str, text: &str) -> String {
    if heading.is_empty() { text.to_owned() } else { format!("{heading}\n{text}") }
}

/// Splits a document into passages, off the threads that serve requests: into one more than it can have where there are more.
async fn split(content: Content) -> Result<(Vec<Draft>, Content), Error> {
    let split = move || {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let drafts = passages(&content, &Shape { most: MOST_PASSAGES, ..Shape::default() })
            .into_iter()
            .map(|passage| Draft {
                heading: passage.headings.join(" > "),
                page: passage.pages.map(|(first, _)| i64::from(first)),
                starts: number(passage.start),
                ends: number(passage.end),
                text: passage.text,
            })
            .collect();
        (drafts, content)
    };
    tokio::task::spawn_blocking(split).await.map_err(|error| Error::Reader(error.to_string()))
}
