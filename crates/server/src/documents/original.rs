//! `GET /api/v1/documents/{id}/original`: gives a file back as it came, part by part, so a large one needs no more memory than a small
//! one. Every part is looked at before the first goes out: nobody gets half a file for a whole one.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described};
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
};
use axum::response::{IntoResponse, Response};
use domain::DocumentId;
use domain::access::can;
use futures_util::stream;
use metering::rates::Pass;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::audit::Event;
use store::blobs::{Opened, PART};
use store::org::knowledge::documents::Document;
use store::org::knowledge::versions::{self, Version};
use store::{Error, Stop, Tx};

use super::find;
use crate::http::body::{Path, Query};
use crate::http::caller::{Caller, Local, Metered, meters};
use crate::http::download::{Extent, Wanted, attachment, named};
use crate::http::error::{Problem, Result};
use crate::knowledge::originals;

/// After how many bytes it is looked at again whether the caller may still see the document.
const LOOK_AGAIN: u64 = 1 << 20;

/// A browser that shows it after all runs nothing of it, in an origin that is nobody's.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// Which version.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OriginalOf {
    /// The version; the newest when left out.
    version: Option<i64>,
}

/// An original, or what there is to say instead.
pub(crate) enum Original {
    /// The client has it already.
    Known { tag: String },
    /// It has no such bytes.
    Beyond { tag: String, size: u64 },
    /// It goes out.
    Sent(Box<Sent>),
}

/// An original on its way out.
pub(crate) struct Sent {
    caller: Caller<can::KnowledgeRead>,
    /// Held until all of it went out.
    _pass: Pass,
    document: DocumentId,
    opened: Opened,
    tag: String,
    name: String,
    media: &'static str,
    /// Which bytes go out, when not all do.
    part: Option<Range<u64>>,
    /// How many bytes are yet to go out.
    left: u64,
    /// How many went out since it was last looked at whether they may.
    unseen: u64,
}

pub(crate) async fn original(
    metered: Metered<Local<can::KnowledgeRead>, meters::Exports>,
    Path(id): Path<DocumentId>,
    Query(query): Query<OriginalOf>,
    wanted: Wanted,
) -> Result<Original> {
    let (local, pass) = metered.through();
    let caller = local.each();
    let mut tx = caller.read().await?;
    let (document, version) = look(&mut tx, &caller, id, query.version).await?;
    drop(tx);
    let tag = format!("\"{}\"", version.content_hash);
    if wanted.has(&tag) {
        return Ok(Original::Known { tag });
    }
    let (opened, extent) = match open(&caller, &version.content_hash, wanted, tag.clone()).await {
        Ok(opened) => opened,
        Err(error) => return Err(lost(&caller, &version, error).await),
    };
    let part = match extent {
        Extent::Beyond => return Ok(Original::Beyond { tag, size: opened.size() }),
        Extent::Part(range) => Some(range),
        Extent::Whole => None,
    };
    let mut tx = caller.begin().await?;
    // It can have gone while it was looked through.
    let (_, now) = look(&mut tx, &caller, id, Some(version.number)).await?;
    let detail = json!({ "version": now.number, "bytes": part.as_ref().map(|part| [part.start, part.end]) });
    tx.record(Event::new("document.downloaded", id).detail(detail)).await?;
    tx.commit().await?;
    let kind = if version.number == document.shown { document.kind.as_str() } else { "" };
    let (name, media) = named(&version.name, kind);
    let left = part.as_ref().map_or(opened.size(), |part| part.end - part.start);
    let sent = Sent { caller, _pass: pass, document: id, opened, tag, name, media, part, left, unseen: 0 };
    Ok(Original::Sent(Box::new(sent)))
}

/// A document that the caller sees, and one of its versions.
async fn look(
    tx: &mut Tx,
    caller: &Caller<can::KnowledgeRead>,
    id: DocumentId,
    number: Option<i64>,
) -> store::Result<(Document, Version)> {
    let (document, _) = find(tx, caller.scope(), id).await?;
    let version = versions::get(tx, id, number.unwrap_or(document.latest)).await?;
    Ok((document, version))
}

/// Opens an original at the first byte that is wanted, once all that is wanted was looked at.
async fn open(
    caller: &Caller<can::KnowledgeRead>,
    hash: &str,
    wanted: Wanted,
    tag: String,
) -> store::Result<(Opened, Extent)> {
    let blobs = caller.store().open(caller.scope()).blobs().await?;
    let hash = hash.to_owned();
    blocking(move || {
        let mut opened = blobs.open(&hash)?;
        let extent = wanted.extent(&tag, opened.size());
        match &extent {
            Extent::Beyond => {}
            Extent::Whole => opened.check(&(0..opened.size()))?,
            Extent::Part(part) => {
                opened.check(part)?;
                opened.seek(SeekFrom::Start(part.start)).map_err(from_io)?;
            }
        }
        Ok((opened, extent))
    })
    .await
}

/// What is said of an original that does not open. When its document was deleted meanwhile there is none, and nothing is amiss.
async fn lost(caller: &Caller<can::KnowledgeRead>, version: &Version, error: Error) -> Problem {
    if !matches!(error, Error::NotFound(_) | Error::Sealed(_)) {
        return error.into();
    }
    let again = async {
        look(&mut caller.read().await?, caller, version.document_id, Some(version.number)).await?;
        Ok::<_, Problem>(())
    };
    if let Err(gone) = again.await {
        return gone;
    }
    originals::alarm(caller.org(), &format!("{}, version {}: {error}", version.document_id, version.number));
    let message = "The original is damaged or gone from where it is kept; the operator has been told. What was read from it is still \
                   there. Whoever has the file can add it as a new version.";
    Problem::new("original_lost", message).because(error.to_string())
}

impl Sent {
    /// The next bytes; none after the last. What is no longer the reader's to see ends it.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.unseen >= LOOK_AGAIN {
            self.unseen = 0;
            let scope = self.caller.reentered().await?;
            find(&mut self.caller.store().open(&scope).read().await?, &scope, self.document).await?;
        }
        let (left, mut opened) = (self.left, self.opened);
        let read = blocking(move || {
            let size = usize::try_from(left).unwrap_or(PART).min(PART);
            let mut bytes = vec![0; size];
            opened.read_exact(&mut bytes).map_err(from_io)?;
            Ok((Bytes::from(bytes), opened))
        });
        let (bytes, opened) = read.await?;
        let size = bytes.len() as u64;
        Ok(Some((bytes, Self { opened, left: left - size, unseen: self.unseen + size, ..self })))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> store::Result<T> + Send + 'static) -> store::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Bug(error.to_string()))?
}

/// What the store said through a reader.
fn from_io(error: std::io::Error) -> Error {
    error.downcast::<Error>().unwrap_or_else(|error| Error::Disk(error.to_string()))
}

impl IntoResponse for Original {
    fn into_response(self) -> Response {
        let sent = match self {
            Self::Known { tag } => return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response(),
            Self::Beyond { tag, size } => {
                let problem = Problem::new("range_not_satisfiable", format!("The file has {size} bytes."));
                return ([(ETAG, tag), (CONTENT_RANGE, format!("bytes */{size}"))], problem).into_response();
            }
            Self::Sent(sent) => *sent,
        };
        let mut headers = vec![
            (CONTENT_TYPE, sent.media.to_owned()),
            (CONTENT_DISPOSITION, attachment(&sent.name)),
            (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
            (CONTENT_LENGTH, sent.left.to_string()),
            (ACCEPT_RANGES, "bytes".to_owned()),
            (ETAG, sent.tag.clone()),
        ];
        let mut status = StatusCode::OK;
        if let Some(part) = &sent.part {
            status = StatusCode::PARTIAL_CONTENT;
            let size = sent.opened.size();
            headers.push((CONTENT_RANGE, format!("bytes {}-{}/{size}", part.start, part.end - 1)));
        }
        // What fails half way ends the transfer before its length, so that nobody takes a part for the whole.
        let parts = stream::try_unfold(sent, async |sent| {
            let document = sent.document;
            sent.next().await.inspect_err(|error| tracing::error!(%document, %error, "a download ended early"))
        });
        let mut response = (status, Body::from_stream(parts)).into_response();
        for (name, value) in headers {
            response.headers_mut().extend(value.try_into().ok().map(|value| (name, value)));
        }
        response
    }
}

impl OperationOutput for Original {
    type Inner = Vec<u8>;
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let file = |about: &str| {
            let content = std::iter::once(("application/octet-stream".to_owned(), MediaType::default())).collect();
            Described { description: about.into(), content, ..Described::default() }
        };
        let known = Described { description: "The client has it already.".into(), ..Described::default() };
        vec![
            (Some(200), file("The file as it came.")),
            (Some(206), file("The part that `Range` named.")),
            (Some(304), known),
        ]
    }
}
