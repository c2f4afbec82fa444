//! The files of an archive become documents, one after the other: each is a new document, a new version of the one of its name in
//! the collection, or nothing new. A document that whoever brought the archive may not change is left alone: they have one of their
//! own. What became of each is noted with it in one transaction, so that work that was cut off goes on where it was.
//!
//! The archive is read part by part from its sealed original; of its files one or two are in memory at a time.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use documents::Unreadable;
use documents::archive::{Bounds, Entry, Unpacked, archive};
use store::blobs::{Blobs, Written};
use store::control::jobs::{self, Job};
use store::control::organisations;
use store::org::knowledge::collections;
use store::org::knowledge::documents::Fault;
use store::org::knowledge::imports::{self, Import, Member, Outcome, Stage};
use store::{Json, Scope, Stop, Turn, Tx};
use tokio::sync::mpsc;

use super::bring::Brought;
use super::receive::{Desk, came_between, visible};
use super::room::Room;
use crate::App;
use crate::http::error::Result;
use crate::knowledge::originals;
use crate::knowledge::place::Place;
use crate::knowledge::sight::Seen;

/// The kind of job that takes the files out of an archive.
pub(crate) const UNPACK: &str = "unpack";

/// How long a claim lasts that nobody prolongs, and how often it is prolonged.
const LEASE: Duration = Duration::from_mins(2);
const PROLONGED: Duration = Duration::from_secs(20);
/// How long a job waits for the archive it was queued for; how often, and with which pause, it looks before it is put back.
const PATIENCE: Duration = Duration::from_mins(10);
const LOOKS: u32 = 20;
const MOMENT: Duration = Duration::from_millis(20);
/// How long an archive rests while its organisation is suspended or closing: nothing comes into it then.
const IDLE: Duration = Duration::from_mins(1);
/// How often an archive is tried before it counts as failed.
const TRIES: i64 = 5;
/// What nobody reads as a document: it is left out, and said.
const NOT_READ: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "tif", "tiff", "ico", "heic", "mp3", "mp4", "m4a", "mov", "avi",
    "mkv", "wav", "ogg", "webm", "ttf", "otf", "woff", "woff2", "exe", "dll", "so", "css", "js",
];

/// How work on an archive ended.
enum Ended {
    Done,
    Later(Duration),
}

/// Claims one archive and takes out its files; says whether there was one.
pub(crate) async fn work(app: &App) -> store::Result<bool> {
    let store = &app.house.store;
    let Some(job) = jobs::take(store, UNPACK, LEASE).await? else { return Ok(false) };
    let mut outcome = unpack(app, &job).await;
    if let Err(problem) = &outcome {
        tracing::warn!(job = %job.id(), org = %job.org(), attempts = job.attempts(), ?problem, "work on an archive failed");
        if job.attempts() >= TRIES {
            outcome = give_up(app, &job).await;
        }
    }
    let now = store.ambient().now();
    let mut tx = store.begin_control(Turn::Free).await?;
    match outcome {
        Ok(Ended::Done) => jobs::done(&mut tx, &job).await?,
        // An archive that only waits to be committed was not tried.
        Ok(Ended::Later(pause)) => jobs::rest(&mut tx, &job, now + pause).await?,
        Err(problem) if problem.code == "not_found" => jobs::done(&mut tx, &job).await?,
        Err(_) => {
            let power = u32::try_from(job.attempts().min(8)).unwrap_or(8);
            jobs::later(&mut tx, &job, now + Duration::from_secs(2) * 2_u32.saturating_pow(power)).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

async fn unpack(app: &App, job: &Job) -> Result<Ended> {
    let scope = app.house.store.enter_for(job).await?;
    if !scope.grants().status.admits_writes() {
        return Ok(Ended::Later(IDLE));
    }
    let Some(import) = look(app, job, &scope).await? else {
        let waited = app.house.store.ambient().now().since(job.created_at());
        return Ok(if waited < PATIENCE { Ended::Later(waited.max(MOMENT * LOOKS)) } else { Ended::Done });
    };
    if matches!(import.status, Stage::Done | Stage::Failed) {
        return Ok(Ended::Done);
    }
    // Whoever had it the last time never came back to say why: it may be what ended the server, and would again.
    if job.attempts() > TRIES {
        tracing::error!(job = %job.id(), org = %job.org(), attempts = job.attempts(), "an archive is given up");
        return give_up(app, job).await;
    }
    let blobs = app.house.store.open(&scope).blobs().await?;
    let room = Room::of(&app.house, scope.org()).await?;
    let (sender, mut files) = mpsc::channel(1);
    let (from, hash) = (blobs.clone(), import.content_hash.clone());
    let reading = tokio::task::spawn_blocking(move || read(&from, &hash, &sender));
    let desk = Desk { org: app.house.store.open(&scope), blobs, room, free: u64::MAX };
    let mut unpacking = Unpacking { app, job, scope, desk, import, names: HashSet::new() };
    let outcome = unpacking.all(&mut files).await;
    // Whoever reads ends when nobody listens.
    drop(files);
    let _ = reading.await;
    outcome
}

/// The archive that a job is about; a moment is waited for its being committed.
async fn look(app: &App, job: &Job, scope: &Scope) -> store::Result<Option<Import>> {
    for _ in 0..LOOKS {
        let mut tx = app.house.store.open(scope).read().await?;
        if let Some(import) = imports::find(&mut tx, job.import()).await? {
            return Ok(Some(import));
        }
        drop(tx);
        tokio::time::sleep(MOMENT).await;
    }
    Ok(None)
}

/// What comes out of an archive.
enum Came {
    /// It was opened, and lists so many files.
    Listed(usize),
    /// The next file.
    File(Unpacked),
    /// It cannot be opened.
    Unreadable(Unreadable),
    /// Its original cannot be read.
    Lost(store::Error),
}

/// Reads an archive as fast as somebody takes its files. Blocks.
fn read(blobs: &Blobs, hash: &str, sender: &mpsc::Sender<Came>) {
    let opened = match blobs.open(hash) {
        Ok(opened) => opened,
        Err(error) => return drop(sender.blocking_send(Came::Lost(error))),
    };
    let files = match archive(opened, Bounds::default()) {
        Ok(files) => files,
        Err(cause) => return drop(sender.blocking_send(Came::Unreadable(cause))),
    };
    if sender.blocking_send(Came::Listed(files.files())).is_err() {
        return;
    }
    for file in files {
        if sender.blocking_send(Came::File(file)).is_err() {
            return;
        }
    }
}

/// An archive whose files come out.
struct Unpacking<'a> {
    app: &'a App,
    job: &'a Job,
    scope: Scope,
    desk: Desk,
    import: Import,
    /// The names that files of it have taken.
    names: HashSet<String>,
}

impl Unpacking<'_> {
    async fn all(&mut self, files: &mut mpsc::Receiver<Came>) -> Result<Ended> {
        let store = &self.app.house.store;
        let (mut place, mut prolonged) = (0, Instant::now());
        while let Some(came) = files.recv().await {
            let file = match came {
                Came::Listed(files) => {
                    let mut tx = store.open(&self.scope).begin().await?;
                    imports::begin(&mut tx, self.import.id, i64::try_from(files).unwrap_or(i64::MAX)).await?;
                    tx.commit().await?;
                    continue;
                }
                Came::Unreadable(cause) => {
                    end(self.app, self.job, Some(told(&cause))).await?;
                    return Ok(Ended::Done);
                }
                Came::Lost(store::Error::NotFound(_) | store::Error::Sealed(_)) => {
                    let message = "The archive is damaged or gone from this server's disk. Upload it again.";
                    end(self.app, self.job, Some(fault("original_lost", message))).await?;
                    return Ok(Ended::Done);
                }
                Came::Lost(error) => return Err(error.into()),
                Came::File(file) => file,
            };
            // The names are given in the same order each time, whoever did the files before.
            let name = self.name(&file);
            if place >= self.import.done && !self.file(place, name, file).await? {
                return Ok(Ended::Done);
            }
            place += 1;
            if prolonged.elapsed() > PROLONGED {
                let mut tx = store.begin_control(Turn::Free).await?;
                let mine = jobs::prolong(&mut tx, self.job, LEASE).await?;
                let organisation = organisations::get(&mut tx, self.scope.org()).await?;
                tx.commit().await?;
                if !mine {
                    return Ok(Ended::Done);
                }
                if !organisation.status.admits_writes() {
                    return Ok(Ended::Later(IDLE));
                }
                prolonged = Instant::now();
            }
        }
        end(self.app, self.job, None).await?;
        Ok(Ended::Done)
    }

    /// The name of a file, with its folders: what it is known by when the archive comes again. Notion gives each page an id, and pages
    /// of one title; an archive inside of an archive may repeat a name.
    fn name(&mut self, file: &Unpacked) -> String {
        let path = match file {
            Ok(entry) => match entry.path.rsplit_once('/') {
                Some((folders, _)) => format!("{folders}/{}", entry.name),
                None => entry.name.clone(),
            },
            Err(refused) => refused.path.clone(),
        };
        let path = visible(&path).unwrap_or_else(|| "file".into());
        let mut name = path.clone();
        for number in 2.. {
            if self.names.insert(name.clone()) {
                break;
            }
            name = match path.rsplit_once('.') {
                Some((stem, extension)) => format!("{stem} ({number}).{extension}"),
                None => format!("{path} ({number})"),
            };
        }
        name
    }

    /// Does the next file; says whether the archive is still there, and nobody else works on it.
    async fn file(&mut self, place: i64, name: String, file: Unpacked) -> Result<bool> {
        let entry = match file {
            Ok(entry) => entry,
            Err(refused) => return self.refuse(place, name, told(&refused.cause)).await,
        };
        let Entry { title, bytes, .. } = entry;
        if bytes.is_empty() {
            return self.refuse(place, name, fault("empty", "The file is empty (zero bytes).")).await;
        }
        let extension = Path::new(&name).extension().and_then(|text| text.to_str()).unwrap_or("").to_ascii_lowercase();
        if NOT_READ.contains(&extension.as_str()) {
            let message = "Pictures, sound, video and programs are not read; it was left out.";
            return self.refuse(place, name, fault("unsupported", message)).await;
        }
        let written = self.desk.bytes(bytes).await?;
        let hash = written.hash.clone();
        let mut outcome = Err(came_between());
        for _ in 0..TRIES {
            outcome = self.take(place, &name, &title, &written).await;
            if !matches!(&outcome, Err(problem) if problem.code == "busy" || problem.code == "stale") {
                break;
            }
        }
        let store = &self.app.house.store;
        store.wake_workers();
        if outcome.is_err() {
            originals::forget(store, &self.scope, vec![hash]).await;
        }
        match outcome {
            Err(problem) if problem.code == "entitlement" => {
                self.refuse(place, name, fault(problem.code, &problem.message)).await
            }
            other => other,
        }
    }

    async fn refuse(&self, place: i64, name: String, fault: Fault) -> Result<bool> {
        let member = Member { place, name, outcome: Outcome::Refused, fault: Some(Json(fault)), document_id: None };
        let tx = self.app.house.store.open(&self.scope).begin().await?;
        self.note(tx, member).await
    }

    /// Commits with what became of a file.
    async fn note(&self, mut tx: Tx, member: Member) -> Result<bool> {
        let noted = imports::note(&mut tx, self.import.id, &member).await?;
        if noted {
            tx.commit().await?;
        }
        Ok(noted)
    }

    /// Whether whoever brought the archive may change what others added where it goes. Looked at for each file: an archive takes a while.
    async fn manages(&self) -> Result<bool> {
        let (store, user) = (&self.app.house.store, self.job.user());
        let grants = match store.grants_of(&self.scope, user).await {
            Ok(grants) => grants,
            // Who has left, or is suspended, manages nothing.
            Err(Stop::Refused(_)) => return Ok(false),
            Err(stop) => return Err(stop.into()),
        };
        let mut tx = store.open(&self.scope).read().await?;
        let collection = collections::get(&mut tx, self.import.collection_id).await?;
        let place = Place::of(&mut tx, collection.project_id).await?;
        Ok(Seen { collection, place }.may_change_others(user, &grants))
    }

    async fn take(&self, place: i64, name: &str, title: &str, written: &Written) -> Result<bool> {
        let brought = Brought {
            collection: self.import.collection_id,
            name,
            title,
            source: "upload",
            tags: self.import.tags.clone(),
            written,
            user: self.job.user(),
            manages: self.manages().await?,
            item: None,
        };
        let (tx, outcome, id) = brought.bring(&self.app.house.store, &self.scope, &self.desk).await?;
        self.note(tx, Member { place, name: name.to_owned(), outcome, fault: None, document_id: Some(id) }).await
    }
}

/// Leaves an archive that this server could not unpack, whatever is wrong with it.
async fn give_up(app: &App, job: &Job) -> Result<Ended> {
    let message = "The archive could not be unpacked because of a fault of this server. Upload it again later.";
    end(app, job, Some(fault("internal", message))).await?;
    Ok(Ended::Done)
}

/// Ends the work on an archive, and takes away its original.
async fn end(app: &App, job: &Job, fault: Option<Fault>) -> Result<()> {
    let store = &app.house.store;
    let scope = store.enter_for(job).await?;
    let mut tx = store.open(&scope).begin().await?;
    let Some(import) = imports::find(&mut tx, job.import()).await? else { return Ok(()) };
    imports::finish(&mut tx, import.id, fault.map(Json).as_ref()).await?;
    tx.commit().await?;
    originals::forget(store, &scope, vec![import.content_hash]).await;
    Ok(())
}

fn fault(code: &str, message: &str) -> Fault {
    Fault { code: code.to_owned(), message: message.to_owned() }
}

fn told(cause: &Unreadable) -> Fault {
    fault(cause.code.name(), &cause.sentence)
}
