//! Originals in a bucket: what is asked of S3 and of servers that speak like it ([decision 20](../../../../docs/decisions/0020-originals-in-s3.md)).
//!
//! A blob has the name there that it has in a folder, so that a folder of originals can be copied into a bucket as it is.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use domain::{Id, OrgId};
use egress::{Allowed, Endpoint, Policy};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::MultipartStore as _;
use object_store::path::Path;
use object_store::{BackoffConfig, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, RetryConfig};
use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

use super::wire::Wire;
use crate::{Error, Result};

/// Bytes of a piece of an upload, the fewest that S3 takes, and the largest file that goes up in one.
const PIECE: u64 = 5 << 20;
/// What the name of a note about an upload ends with.
const NOTE: &str = ".upload";

/// Where a bucket is, and who we are there.
#[derive(Clone)]
pub struct BucketSettings {
    /// Its name.
    pub name: String,
    /// The folder in it that is ours; empty when all of it is.
    pub folder: String,
    /// The server, such as `https://s3.eu-central-1.amazonaws.com`.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The name of our key.
    pub access_key: String,
    /// Our key.
    pub secret_key: Zeroizing<String>,
    /// Whether the bucket stands in the path, and not before the host.
    pub path_style: bool,
}

impl std::fmt::Debug for BucketSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BucketSettings({}/{} at {})", self.name, self.folder, self.endpoint)
    }
}

impl BucketSettings {
    /// The address that the names of objects are added to.
    fn base(&self) -> String {
        let endpoint = self.endpoint.trim_end_matches('/');
        match endpoint.split_once("://") {
            Some((scheme, host)) if !self.path_style => format!("{scheme}://{}.{host}", self.name),
            _ => endpoint.to_owned(),
        }
    }

    /// Looks at whether a bucket can be there.
    /// # Errors
    /// [`Error::Setup`] says what is wrong.
    pub fn check(&self) -> Result<()> {
        self.client(Pace::Patient).map(drop)
    }

    fn client(&self, pace: Pace) -> Result<AmazonS3> {
        let base = self.base();
        let endpoint = Endpoint::new(&base)
            .map_err(|_| Error::Setup(format!("there can be no bucket at {base}: it is no http or https address")))?;
        // The operator's own choice, whatever organisations may call; and nowhere else, whatever the server says.
        let allowed = Allowed::Host { host: endpoint.host().to_owned(), port: Some(endpoint.port()) };
        let policy = Policy { allow: vec![allowed], own: Vec::new() };
        let backoff = BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() };
        let (wire, retry) = match pace {
            Pace::Patient => {
                let retry = RetryConfig { backoff, max_retries: 4, retry_timeout: Duration::from_secs(30) };
                (Wire::new(policy), retry)
            }
            Pace::Hasty => {
                let retry = RetryConfig { backoff, max_retries: 1, retry_timeout: Duration::from_secs(2) };
                (Wire::hasty(policy), retry)
            }
        };
        AmazonS3Builder::new()
            .with_bucket_name(&self.name)
            .with_endpoint(base)
            .with_virtual_hosted_style_request(!self.path_style)
            .with_region(&self.region)
            .with_access_key_id(&self.access_key)
            .with_secret_access_key(self.secret_key.as_str())
            .with_retry(retry)
            .with_http_connector(wire)
            .build()
            .map_err(|error| Error::Setup(format!("the bucket cannot be used: {error}")))
    }
}

/// How long an answer is waited for.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// As long as it takes.
    Patient,
    /// A moment: others wait for who asks.
    Hasty,
}

/// A bucket. Its functions block, and need a thread that may.
pub(crate) struct Bucket {
    client: AmazonS3,
    /// The same, for what is removed in an organisation's turn.
    hasty: AmazonS3,
    folder: String,
    /// Where it is asked: the house's own may end while a thread is about to ask.
    runtime: Option<Runtime>,
}

impl Drop for Bucket {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Something that lies in a bucket.
pub(super) struct Stored {
    /// Its name within the organisation's folder.
    pub(super) name: String,
    /// When it was written, in microseconds since 1970.
    pub(super) written: i64,
}

impl Bucket {
    /// A bucket; nothing is asked yet.
    pub(crate) fn open(settings: &BucketSettings) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("bucket").enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::Setup(format!("a thread for the bucket cannot be started: {error}")))?;
        let (client, hasty) = (settings.client(Pace::Patient)?, settings.client(Pace::Hasty)?);
        Ok(Self { client, hasty, folder: settings.folder.clone(), runtime: Some(runtime) })
    }

    fn ask<T>(&self, what: &str, answer: impl Future<Output = object_store::Result<T>>) -> Result<T> {
        let runtime = self.runtime.as_ref().ok_or_else(|| Error::bug("the bucket is closed"))?;
        runtime.block_on(answer).map_err(|error| failed(what, &error))
    }

    fn under(&self, org: OrgId) -> Path {
        let hex = org.uuid().simple().to_string();
        Path::from(format!("{}/{}/{hex}", self.folder, &hex[30..]))
    }

    /// Where something of an organisation is.
    pub(super) fn key(&self, org: OrgId, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.under(org)))
    }

    /// The organisations that have something there.
    pub(super) fn orgs(&self) -> Result<Vec<OrgId>> {
        let below = |path: Path| self.ask("listed", self.client.list_with_delimiter(Some(&path)));
        let mut orgs = Vec::new();
        for folder in below(Path::from(self.folder.as_str()))?.common_prefixes {
            for folder in below(folder)?.common_prefixes {
                let id = folder.filename().and_then(|name| uuid::Uuid::try_parse(name).ok());
                orgs.extend(id.map(OrgId::from_uuid));
            }
        }
        Ok(orgs)
    }

    /// What an organisation has there.
    pub(super) fn list(&self, org: OrgId) -> Result<Vec<Stored>> {
        let under = self.under(org);
        let found = self.client.list(Some(&under)).map_ok(|meta| Stored {
            name: meta.location.filename().unwrap_or("").to_owned(),
            written: meta.last_modified.timestamp_micros(),
        });
        self.ask("listed", found.try_collect())
    }

    /// How long a blob is, and which writing of it lies there.
    pub(super) fn head(&self, key: &Path) -> Result<(u64, Option<String>)> {
        let meta = self.ask("read", self.client.head(key))?;
        Ok((meta.size, meta.e_tag))
    }

    /// Bytes of one writing of a blob.
    pub(super) fn range(&self, key: &Path, range: Range<u64>, tag: Option<String>) -> Result<Bytes> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), if_match: tag, ..GetOptions::default() };
        self.ask("read", async { self.client.get_opts(key, options).await?.bytes().await })
    }

    /// Puts a file there under a name. It is there, whole and durable, when this returns; before, nobody sees any of it. `id` is the
    /// caller's alone.
    pub(super) fn put(&self, org: OrgId, name: &str, id: &str, file: &mut File, length: u64) -> Result<()> {
        let key = self.key(org, name);
        if length <= PIECE {
            let bytes = piece(file, length)?;
            return self.ask("written", self.client.put(&key, bytes.into())).map(drop);
        }
        let upload = self.ask("written", self.client.create_multipart(&key))?;
        // Pieces of an upload that a crash cut off are paid for and in no list: this note is.
        let note = self.key(org, &format!("{name}.{id}{NOTE}"));
        let noted = self.ask("written", self.client.put(&note, upload.clone().into_bytes().into()));
        let done = noted.and_then(|_| self.pieces(&key, &upload, file, length));
        if done.is_err()
            && let Err(error) = self.abort(&key, &upload)
        {
            tracing::warn!(%error, "pieces of an original stay in the bucket for now");
            return done;
        }
        if let Err(error) = self.ask("removed", self.client.delete(&note)) {
            tracing::warn!(%error, "the note of an upload stays in the bucket for now");
        }
        done
    }

    fn pieces(&self, key: &Path, upload: &String, file: &mut File, length: u64) -> Result<()> {
        let mut parts = Vec::new();
        let mut left = length;
        while left > 0 {
            let bytes = piece(file, left.min(PIECE))?;
            left -= bytes.len() as u64;
            parts.push(self.ask("written", self.client.put_part(key, upload, parts.len(), bytes.into()))?);
        }
        self.ask("written", self.client.complete_multipart(key, upload, parts)).map(drop)
    }

    /// Ends an upload; one that is over is as well.
    fn abort(&self, key: &Path, upload: &String) -> Result<()> {
        match self.ask("removed", self.client.abort_multipart(key, upload)) {
            Err(Error::NotFound(_)) | Ok(()) => Ok(()),
            failed => failed,
        }
    }

    /// Removes something; nothing is as well.
    pub(super) fn remove(&self, org: OrgId, name: &str) -> Result<()> {
        let key = self.key(org, name);
        if let Some((blob, _)) = name.strip_suffix(NOTE).and_then(|name| name.rsplit_once('.')) {
            let upload = self.ask("read", async { self.client.get(&key).await?.bytes().await });
            if let Ok(upload) = upload {
                self.abort(&self.key(org, blob), &String::from_utf8_lossy(&upload).into_owned())?;
            }
        }
        match self.ask("removed", self.hasty.delete(&key)) {
            Err(Error::NotFound(_)) | Ok(()) => Ok(()),
            failed => failed,
        }
    }

    /// Removes all that an organisation has there.
    pub(super) fn remove_all(&self, org: OrgId) -> Result<()> {
        let (notes, blobs): (Vec<_>, Vec<_>) = self.list(org)?.into_iter().partition(|stored| is_note(&stored.name));
        for note in notes {
            self.remove(org, &note.name)?;
        }
        let keys: Vec<_> = blobs.iter().map(|stored| Ok(self.key(org, &stored.name))).collect();
        let removed = self.client.delete_stream(stream::iter(keys).boxed());
        self.ask("removed", removed.try_collect::<Vec<_>>()).map(drop)
    }
}

/// Whether it is a note about an upload, which goes with it.
pub(super) fn is_note(name: &str) -> bool {
    name.ends_with(NOTE)
}

fn piece(file: &mut File, size: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    file.read_exact(&mut bytes).map_err(|error| super::failed("read", &error))?;
    Ok(bytes)
}

fn failed(what: &str, error: &object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::NotFound("original"),
        object_store::Error::Precondition { .. } => {
            Error::Disk("an original was written anew while it was read".into())
        }
        error => Error::Disk(format!("an original in the bucket could not be {what}: {error}")),
    }
}
