//! `POST /api/v1/collections/{id}/documents`: takes a file. Its original is on the disk, sealed, before the answer; reading it is a job.

use domain::access::{Permission, can};
use domain::plan::Meter;
use domain::{CollectionId, JobId};
use knowledge::intake;
use schemars::JsonSchema;
use serde::Serialize;
use store::Json;
use store::audit::Event;
use store::blobs::{Blobs, Draft, Written};
use store::control::jobs;
use store::keys::sha256;
use store::org::knowledge::documents::{self, Document, Status};
use store::org::knowledge::versions::{self, Version};

use super::DocumentView;
use crate::http::body::Path;
use crate::http::caller::{Caller, Local, Metered, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Accepted;
use crate::http::upload::{Form, Opened, broken};
use crate::knowledge::{originals, sight};

/// The largest file that is kept. What is larger than the reader takes is kept, and said to be too large to be read.
const MOST: u64 = 512 << 20;
/// Characters of a name or a title.
const NAME: usize = 300;
/// Tags of a document, and characters of each.
const TAGS: usize = 32;
const TAG: usize = 60;

/// A document that was taken in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UploadedDocument")]
pub(crate) struct Uploaded {
    document: DocumentView,
    /// The job that reads it; null when the collection had the same file already.
    job_id: Option<JobId>,
}

/// What came in a form.
struct Received {
    written: Written,
    name: String,
    title: Option<String>,
    tags: Vec<String>,
}

impl Received {
    /// What makes it the same form as another one.
    fn fingerprint(&self) -> [u8; 32] {
        let Self { written, name, title, tags } = self;
        sha256(serde_json::json!([written.hash, name, title, tags]).to_string())
    }
}

pub(crate) async fn upload(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path(id): Path<CollectionId>,
    form: Form,
) -> Result<Accepted<Uploaded>> {
    let (gate, _pass) = gate.through();
    let mut caller = gate.each();
    let mut tx = caller.read().await?;
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, id).await?;
    let form = form.open()?;
    if !caller.is_answered() {
        seen.place.require_changeable()?;
    }
    // What was answered before has its place already: it is read once more, and not kept.
    let room = if caller.is_answered() { Room::unbounded() } else { room(&caller).await? };
    let (documents, bytes) = documents::totals(&mut tx).await?;
    drop(tx);
    // Refused before bytes are kept; decided for good in the transaction below.
    room.admits(documents + 1, bytes)?;
    let free = u64::try_from(room.storage.saturating_sub(bytes)).unwrap_or(0);
    if form.announced.is_some_and(|announced| announced > free.saturating_add(1 << 20)) {
        return Err(room.full());
    }
    let blobs = caller.store().open(caller.scope()).blobs().await?;
    let received = receive(form, &blobs, free, &room).await?;
    let hash = received.written.hash.clone();
    let outcome = match caller.brought(received.fingerprint()) {
        Ok(()) => take(&caller, id, received, &room, &blobs).await,
        Err(answered) => Err(answered),
    };
    if outcome.is_err() {
        originals::forget(caller.store(), caller.scope(), vec![hash]).await;
    }
    caller.store().wake_workers();
    outcome
}

async fn take(
    caller: &Caller<can::KnowledgeWrite>,
    collection: CollectionId,
    received: Received,
    room: &Room,
    blobs: &Blobs,
) -> Result<Accepted<Uploaded>> {
    let now = caller.ambient().now();
    let Received { written, name, title, tags } = received;
    let document = Document {
        id: caller.ambient().id(),
        collection_id: collection,
        title: title.unwrap_or_else(|| name.clone()),
        name,
        source: "upload".into(),
        kind: String::new(),
        tags: Json(tags),
        status: Status::Queued,
        fault: None,
        content_hash: written.hash,
        size: i64::try_from(written.size).unwrap_or(i64::MAX),
        latest: 1,
        shown: 0,
        passages: 0,
        embedded: 0,
        made_by: caller.user(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    // Queued before the document is committed: nothing is ever committed that nobody comes for.
    let mut tx = caller.begin_control().await?;
    let job = jobs::queue(&mut tx, caller.org(), intake::READ, document.id, caller.user(), now).await?;
    tx.commit().await?;
    let mut tx = caller.begin().await?;
    // What the caller may do can have ended while the file was on its way.
    sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, collection).await?;
    if let Some(known) = documents::same(&mut tx, collection, &document.content_hash).await? {
        let known = documents::get(&mut tx, known).await?;
        return caller.commit(tx, Accepted(Uploaded { document: known.into(), job_id: None })).await;
    }
    let (kept, hash) = (blobs.clone(), document.content_hash.clone());
    if !tokio::task::spawn_blocking(move || kept.has(&hash)).await.map_err(|error| panicked(&error))? {
        // The same file was deleted elsewhere while this one came in.
        return Err(Problem::new("busy", "Another change came in between; send the file again.").retry_after(1));
    }
    documents::insert(&mut tx, &document).await?;
    let version = Version {
        document_id: document.id,
        number: 1,
        name: document.name.clone(),
        content_hash: document.content_hash.clone(),
        size: document.size,
        made_by: document.made_by,
        created_at: now,
    };
    versions::insert(&mut tx, &version).await?;
    let (documents, bytes) = documents::totals(&mut tx).await?;
    room.admits(documents, bytes)?;
    tx.record(Event::new("document.created", document.id).after(&document)).await?;
    caller.commit(tx, Accepted(Uploaded { document: document.into(), job_id: Some(job) })).await
}

/// How much knowledge the plan has room for.
struct Room {
    documents: i64,
    storage: i64,
    plan: String,
}

impl Room {
    fn unbounded() -> Self {
        Self { documents: i64::MAX, storage: i64::MAX, plan: String::new() }
    }

    fn admits(&self, documents: i64, bytes: i64) -> Result<()> {
        if documents > self.documents {
            let message = format!(
                "The plan {} includes {} documents; delete some, or change the plan.",
                self.plan, self.documents
            );
            return Err(Problem { param: Some("documents".into()), ..Problem::new("entitlement", message) });
        }
        if bytes > self.storage { Err(self.full()) } else { Ok(()) }
    }

    fn full(&self) -> Problem {
        let message = format!(
            "The plan {} includes {} MiB of documents, and this file does not fit; delete some, or change the plan.",
            self.plan,
            self.storage >> 20
        );
        Problem { param: Some("storage".into()), ..Problem::new("entitlement", message) }
    }
}

async fn room<P: domain::access::Requires>(caller: &Caller<P>) -> Result<Room> {
    let mut tx = caller.store().read_control().await?;
    let entitlements = tenancy::entitlements::of(caller.house(), &mut tx, caller.org()).await?;
    let most = |meter| i64::try_from(entitlements.limit(meter).value).unwrap_or(i64::MAX);
    Ok(Room { documents: most(Meter::Documents), storage: most(Meter::Storage), plan: entitlements.plan().to_string() })
}

async fn receive(mut form: Opened, blobs: &Blobs, free: u64, room: &Room) -> Result<Received> {
    let (mut file, mut title, mut tags) = (None, None, Vec::new());
    while let Some(mut field) = form.fields.next_field().await.map_err(|error| broken(&error))? {
        match field.name() {
            Some("file") if file.is_none() => {
                let name = clean(field.file_name().unwrap_or("")).unwrap_or_else(|| "document".into());
                let mut draft = begin(blobs.clone()).await?;
                while let Some(bytes) = field.chunk().await.map_err(|error| broken(&error))? {
                    if draft.size() + bytes.len() as u64 > free {
                        return Err(room.full());
                    }
                    if draft.size() + bytes.len() as u64 > MOST {
                        return Err(Problem::new("too_large", format!("A file may have {} MiB.", MOST >> 20)));
                    }
                    draft = tokio::task::spawn_blocking(move || draft.write(&bytes).map(|()| draft))
                        .await
                        .map_err(|error| panicked(&error))??;
                }
                file = Some((draft, name));
            }
            Some("title") => title = clean(&text(field).await?),
            Some("tags") => tags = read_tags(&text(field).await?)?,
            Some(other) => return Err(Problem::field(other.to_owned(), "is not a field of this form, or came twice")),
            None => return Err(Problem::new("invalid_request", "A part of the form has no name.")),
        }
    }
    let Some((draft, name)) = file else { return Err(Problem::field("file", "is missing")) };
    let written = tokio::task::spawn_blocking(move || draft.finish()).await.map_err(|error| panicked(&error))??;
    Ok(Received { written, name, title, tags })
}

async fn begin(blobs: Blobs) -> Result<Draft> {
    Ok(tokio::task::spawn_blocking(move || blobs.draft()).await.map_err(|error| panicked(&error))??)
}

fn panicked(error: &tokio::task::JoinError) -> Problem {
    Problem::internal(format!("a file could not be written: {error}"))
}

async fn text(mut field: multer::Field<'static>) -> Result<String> {
    let name = field.name().unwrap_or("").to_owned();
    let mut bytes = Vec::new();
    while let Some(more) = field.chunk().await.map_err(|error| broken(&error))? {
        bytes.extend_from_slice(&more);
        if bytes.len() > 8 << 10 {
            return Err(Problem::field(name, "is too long"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::field(name, "must be UTF-8"))
}

/// The last part of a name, without what hides or reorders text; none when nothing is left.
fn clean(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or("");
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let name: String = last.chars().filter(|c| !hidden(*c)).take(NAME).collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Tags, parted by commas.
fn read_tags(text: &str) -> Result<Vec<String>> {
    let mut tags: Vec<String> =
        text.split(',').map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()).collect();
    tags.sort();
    tags.dedup();
    if tags.len() > TAGS || tags.iter().any(|tag| tag.chars().count() > TAG || tag.chars().any(char::is_control)) {
        return Err(Problem::field("tags", format!("must be at most {TAGS} words of at most {TAG} characters")));
    }
    Ok(tags)
}
