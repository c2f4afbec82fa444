//! Originals on their way in: a file of a form, or what is in memory already. What is received lies sealed on the disk; whoever does
//! not commit it forgets it.

use domain::access::Requires;
use store::OrgStore;
use store::blobs::{Blobs, Draft, Written};
use store::keys::sha256;

use super::TAGS;
use super::room::Room;
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::upload::{Opened, broken};

/// The largest file that is kept. What is larger than the reader takes is kept, and said to be too large to be read.
const MOST: u64 = 512 << 20;
/// Characters of a name or a title.
const NAME: usize = 300;
/// Characters of a tag.
const TAG: usize = 60;

/// What came.
pub(super) struct Received {
    pub(super) written: Written,
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) tags: Option<Vec<String>>,
}

impl Received {
    /// What makes it the same form as another one.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let Self { written, name, title, tags } = self;
        sha256(serde_json::json!([written.hash, name, title, tags]).to_string())
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> i64 {
        i64::try_from(self.written.size).unwrap_or(i64::MAX)
    }
}

/// Where originals are received, and how many bytes more.
pub(crate) struct Desk {
    pub(crate) org: OrgStore,
    pub(crate) blobs: Blobs,
    pub(crate) room: Room,
    pub(crate) free: u64,
}

impl Desk {
    /// Opens it when there is room for as many more documents. What was answered before has its place already: it is read once more,
    /// and not kept.
    pub(super) async fn open<P: Requires>(caller: &Caller<P>, more: i64) -> Result<Self> {
        let room =
            if caller.is_answered() { Room::unbounded() } else { Room::of(caller.house(), caller.org()).await? };
        let org = caller.store().open(caller.scope());
        let mut tx = caller.read().await?;
        let left = room.left(&mut tx, more).await;
        drop(tx);
        let free = match left {
            Err(problem) if problem.code == "entitlement" => {
                room.note_refused(&org, &problem).await;
                return Err(problem);
            }
            left => left?,
        };
        Ok(Self { blobs: org.blobs().await?, org, room, free })
    }

    /// Takes the file of a form, with what is said of it.
    pub(super) async fn form(&self, mut form: Opened) -> Result<Received> {
        // Refused before bytes are kept.
        if form.announced.is_some_and(|announced| announced > self.free.saturating_add(1 << 20)) {
            return Err(self.full().await);
        }
        let (mut file, mut title, mut tags) = (None, None, None);
        while let Some(mut field) = form.fields.next_field().await.map_err(|error| broken(&error))? {
            match field.name() {
                Some("file") if file.is_none() => {
                    let name = clean(field.file_name().unwrap_or("")).unwrap_or_else(|| "document".into());
                    let mut draft = begin(self.blobs.clone()).await?;
                    while let Some(bytes) = field.chunk().await.map_err(|error| broken(&error))? {
                        draft = self.add(draft, bytes).await?;
                    }
                    file = Some((draft, name));
                }
                Some("title") => title = clean(&text(field).await?),
                Some("tags") => tags = Some(read_tags(&text(field).await?)?),
                Some(other) => {
                    return Err(Problem::field(other.to_owned(), "is not a field of this form, or came twice"));
                }
                None => return Err(Problem::new("invalid_request", "A part of the form has no name.")),
            }
        }
        let Some((draft, name)) = file else { return Err(Problem::field("file", "is missing")) };
        Ok(Received { written: finish(draft).await?, name, title, tags })
    }

    /// Takes what is in memory already.
    pub(crate) async fn bytes(&self, bytes: impl AsRef<[u8]> + Send + 'static) -> Result<Written> {
        let draft = begin(self.blobs.clone()).await?;
        finish(self.add(draft, bytes).await?).await
    }

    async fn add(&self, mut draft: Draft, bytes: impl AsRef<[u8]> + Send + 'static) -> Result<Draft> {
        let size = draft.size() + bytes.as_ref().len() as u64;
        if size > self.free {
            return Err(self.full().await);
        }
        if size > MOST {
            return Err(Problem::new("too_large", format!("A file may have {} MiB.", MOST >> 20)));
        }
        let written = tokio::task::spawn_blocking(move || draft.write(bytes.as_ref()).map(|()| draft)).await;
        Ok(written.map_err(|error| panicked(&error))??)
    }

    /// What is said of a file that does not fit; those who run the organisation are told, too.
    async fn full(&self) -> Problem {
        let problem = self.room.full();
        self.room.note_refused(&self.org, &problem).await;
        problem
    }

    /// Refuses when an original is not there any more: the same file was deleted elsewhere while this one came in.
    pub(super) async fn require(&self, hash: &str) -> Result<()> {
        let (blobs, hash) = (self.blobs.clone(), hash.to_owned());
        let there = tokio::task::spawn_blocking(move || blobs.has(&hash)).await.map_err(|error| panicked(&error))??;
        if there { Ok(()) } else { Err(came_between()) }
    }
}

/// What is said to whoever was overtaken.
pub(crate) fn came_between() -> Problem {
    Problem::new("busy", "Another change came in between; send the file again.").retry_after(1)
}

async fn begin(blobs: Blobs) -> Result<Draft> {
    Ok(tokio::task::spawn_blocking(move || blobs.draft()).await.map_err(|error| panicked(&error))??)
}

async fn finish(draft: Draft) -> Result<Written> {
    Ok(tokio::task::spawn_blocking(move || draft.finish()).await.map_err(|error| panicked(&error))??)
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
pub(super) fn clean(name: &str) -> Option<String> {
    visible(name.rsplit(['/', '\\']).next().unwrap_or(""))
}

/// A name without what hides or reorders text; none when nothing is left.
pub(crate) fn visible(name: &str) -> Option<String> {
    let start: String = name.chars().take(NAME).collect();
    let name = domain::text::visible(&start);
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Tags, parted by commas.
fn read_tags(text: &str) -> Result<Vec<String>> {
    let tags = sorted(text.split(',').map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty()).collect());
    if tags.len() > TAGS || tags.iter().any(|tag| tag.chars().count() > TAG || tag.chars().any(char::is_control)) {
        return Err(Problem::field("tags", format!("must be at most {TAGS} words of at most {TAG} characters")));
    }
    Ok(tags)
}

/// Each tag once, in order.
pub(super) fn sorted(mut tags: Vec<String>) -> Vec<String> {
    tags.sort();
    tags.dedup();
    tags
}
