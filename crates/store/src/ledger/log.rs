//! The log of holds, beside the books on the embedded engine: a hold is noted in it before anything is spent, which costs no
//! transaction, so that a killed program leaves a trace of every call that was under way.
//!
//! The file begins with a salt; then come records, each sealed under a key of that salt and bound to its place among the others. What
//! stands in it and in no table is written into `holds` when the books are next used. It is begun anew when it has grown.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Ambient, OrgId};
use sealing::{Cipher, NONCE};
use serde::{Deserialize, Serialize};

use super::Page;
use super::holds::{self, Hold};
use crate::keys::Secret;
use crate::{Backend, Error, Result, Scope, Store};

/// Bytes after which the log is begun anew.
const LONG: u64 = 4 << 20;
/// Bytes that a record is believed to have at most; the names in it have bounds of their own, far below.
const RECORD: usize = 1 << 20;
const SALT: usize = 16;
/// What every record is bound to besides its place.
const PLACE: &[u8] = b"hold";

/// The log of an installation's holds.
pub(crate) struct HoldLog {
    path: PathBuf,
    house: Secret,
    ambient: Ambient,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None until this program first needs the log: a command that runs beside a server never does, and to open it is to cut off half a
    /// record, which may be the one that the server is writing.
    open: Option<Open>,
    /// Organisations that were erased since the program began.
    erased: HashSet<OrgId>,
}

struct Open {
    file: File,
    cipher: Cipher,
    records: u64,
    length: u64,
    /// A record was written half, so nothing may come behind it.
    broken: bool,
}

#[derive(Serialize)]
struct Noting<'h> {
    org: OrgId,
    hold: &'h Hold,
}

#[derive(Deserialize)]
struct Noted {
    org: OrgId,
    hold: Hold,
}

impl HoldLog {
    /// The log at a path. The file is not touched before it is needed.
    pub(crate) fn new(path: PathBuf, house: &Secret, ambient: &Ambient) -> Self {
        Self { path, house: house.clone(), ambient: ambient.clone(), state: Mutex::default() }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log, opened when it is first needed: by the server, whose the data folder is alone.
    fn opened<'o>(&self, open: &'o mut Option<Open>) -> Result<&'o mut Open> {
        let opened = match open.take() {
            Some(opened) => opened,
            None => self.open()?,
        };
        Ok(open.insert(opened))
    }

    /// Opens the log, or begins one.
    fn open(&self) -> Result<Open> {
        let failed = |error: std::io::Error| self.failed(&error);
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let Some(salt) = bytes.first_chunk::<SALT>() else {
            return begin(&self.path, &self.house, &self.ambient).map_err(failed);
        };
        let cipher = cipher(&self.house, *salt);
        let (records, whole) = read(&cipher, &bytes[SALT..]);
        let file = OpenOptions::new().append(true).open(&self.path).map_err(failed)?;
        // Half a record, of a program that was killed while it wrote.
        let length = (SALT + whole) as u64;
        file.set_len(length).map_err(failed)?;
        Ok(Open { file, cipher, records: records.len() as u64, length, broken: false })
    }

    fn note(&self, org: OrgId, hold: &Hold) -> Result<()> {
        let text = text(org, hold)?;
        let mut state = self.locked();
        if state.erased.contains(&org) {
            return Err(Error::NotFound("organisation"));
        }
        self.opened(&mut state.open)?.append(&text)
    }

    /// Begins the log anew, with some holds that stand nowhere else.
    fn renew<'h>(&self, state: &mut State, kept: impl Iterator<Item = (OrgId, &'h Hold)>) -> Result<()> {
        let fresh = self.path.with_extension("new");
        let mut begun = begin(&fresh, &self.house, &self.ambient).map_err(|error| self.failed(&error))?;
        for (org, hold) in kept.filter(|(org, _)| !state.erased.contains(org)) {
            begun.append(&text(org, hold)?)?;
        }
        std::fs::rename(&fresh, &self.path).map_err(|error| self.failed(&error))?;
        state.open = Some(begun);
        Ok(())
    }

    /// Takes everything about an organisation out of the log, for ever.
    pub(super) fn erase(&self, org: OrgId) -> Result<()> {
        let mut state = self.locked();
        state.erased.insert(org);
        let noted = self.noted(&mut state)?;
        self.renew(&mut state, noted.iter().map(|noted| (noted.org, &noted.hold)))
    }

    /// What stands in the log.
    fn noted(&self, state: &mut State) -> Result<Vec<Noted>> {
        let open = self.opened(&mut state.open)?;
        let mut bytes = Vec::new();
        let mut file = File::open(&self.path).map_err(|error| self.failed(&error))?;
        file.read_to_end(&mut bytes).map_err(|error| self.failed(&error))?;
        let records = read(&open.cipher, bytes.get(SALT..).unwrap_or_default()).0;
        let noted = records.iter().map(|record| serde_json::from_slice(record));
        noted.collect::<Result<_, _>>().map_err(|error| Error::bug(error.to_string()))
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::Disk(format!("{}: {error}", self.path.display()))
    }
}

impl State {
    fn length(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.length)
    }
}

impl Open {
    fn append(&mut self, text: &[u8]) -> Result<()> {
        if self.broken {
            return Err(Error::Busy("the log of holds is being begun anew"));
        }
        let sealed = self.cipher.seal(nonce(self.records), PLACE, text);
        let length = u32::try_from(sealed.len()).map_err(|_| Error::bug("a hold of gigabytes"))?;
        let record = [&length.to_le_bytes()[..], &sealed].concat();
        if let Err(error) = self.file.write_all(&record) {
            self.broken = self.file.set_len(self.length).is_err();
            return Err(Error::Disk(error.to_string()));
        }
        self.records += 1;
        self.length += record.len() as u64;
        Ok(())
    }
}

/// What is noted of a hold.
fn text(org: OrgId, hold: &Hold) -> Result<Vec<u8>> {
    serde_json::to_vec(&Noting { org, hold }).map_err(|error| Error::bug(error.to_string()))
}

fn begin(path: &Path, house: &Secret, ambient: &Ambient) -> std::io::Result<Open> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let salt: [u8; SALT] = ambient.bytes();
    file.write_all(&salt)?;
    // Where it ends is where the next record goes, also when one was taken back.
    let file = OpenOptions::new().append(true).open(path)?;
    Ok(Open { file, cipher: cipher(house, salt), records: 0, length: SALT as u64, broken: false })
}

fn cipher(house: &Secret, salt: [u8; SALT]) -> Cipher {
    let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
    Cipher::new(&house.derive(&format!("ledger holds {salt}")))
}

/// The nonce of a record: its place, which comes once under a salt's key.
fn nonce(place: u64) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    nonce[..8].copy_from_slice(&place.to_le_bytes());
    nonce
}

/// The records that are whole, in their order, and how many bytes they take.
fn read(cipher: &Cipher, bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let (mut records, mut rest) = (Vec::new(), bytes);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        if length > RECORD || length > after.len() {
            break;
        }
        let (sealed, after) = after.split_at(length);
        let in_place = sealed.starts_with(&nonce(records.len() as u64));
        let Some(record) = cipher.open(PLACE, sealed).filter(|_| in_place) else { break };
        records.push(record);
        rest = after;
    }
    (records, bytes.len() - rest.len())
}

impl Store {
    fn hold_log(&self) -> Result<&HoldLog> {
        match &self.0.backend {
            Backend::Embedded { holds, .. } => Ok(holds),
            Backend::Postgres { .. } => Err(Error::bug("there is no log of holds beside PostgreSQL")),
        }
    }

    /// Notes a hold, on the embedded engine: it outlives this program from now on, though not a power cut.
    /// # Errors
    /// [`Error::NotFound`] for an organisation that was erased; as the disk.
    pub fn note_hold(&self, scope: &Scope, hold: &Hold) -> Result<()> {
        self.hold_log()?.note(scope.org(), hold)
    }

    /// Whether the log of holds has grown so much that it is to be begun anew.
    #[must_use]
    pub fn hold_log_is_long(&self) -> bool {
        self.hold_log()
            .is_ok_and(|log| log.locked().open.as_ref().is_some_and(|open| open.length > LONG || open.broken))
    }

    /// Begins the log of holds anew with those that stand in no table.
    /// # Errors
    /// As the disk; then the log is as it was.
    pub fn renew_hold_log<'h>(&self, kept: impl Iterator<Item = (&'h Scope, &'h Hold)>) -> Result<()> {
        let log = self.hold_log()?;
        log.renew(&mut log.locked(), kept.map(|(scope, hold)| (scope.org(), hold)))
    }

    /// Writes what programs that died left in the log into the table of holds, where whoever looks next finds and ends it.
    /// # Errors
    /// As the database and the disk.
    pub async fn recover_holds(&self) -> Result<()> {
        let Backend::Embedded { holds: log, .. } = &self.0.backend else { return Ok(()) };
        let (noted, length) = {
            let mut state = log.locked();
            (log.noted(&mut state)?, state.length())
        };
        if noted.is_empty() {
            return Ok(());
        }
        let mut tx = self.write_books().await?;
        for Noted { org, hold } in &noted {
            let mut page = tx.page_of(*org)?;
            if !has_ended(&mut page, hold).await? {
                // Whoever held it is dead, so how long it lives does not matter.
                holds::insert(&mut page, hold, Duration::ZERO).await?;
            }
        }
        tx.commit().await?;
        let mut state = log.locked();
        // What was noted meanwhile stands nowhere else.
        if state.length() == length { log.renew(&mut state, std::iter::empty()) } else { Ok(()) }
    }

    /// Whether the scope's organisation was erased from the embedded engine since this program began, so that nothing of it may be written
    /// any more. To be asked within a transaction on the books: the erasure comes before it or waits for it.
    #[must_use]
    pub fn has_erased(&self, scope: &Scope) -> bool {
        self.hold_log().is_ok_and(|log| log.locked().erased.contains(&scope.org()))
    }
}

/// Whether an attempt has ended as an entry.
async fn has_ended(page: &mut Page<'_>, hold: &Hold) -> Result<bool> {
    let ended: Option<i64> = page
        .sql("SELECT attempt FROM entries WHERE org_id = $1 AND id = $2 AND attempt = $3")
        .bind(hold.id)
        .bind(hold.attempt)
        .optional()
        .await?;
    Ok(ended.is_some())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use domain::limits::{Amounts, Counted};
    use domain::{Time, UsageId};

    use super::*;
    use crate::{Place, Settings};

    struct Desk {
        folder: tempfile::TempDir,
        house: Secret,
        ambient: Ambient,
    }

    impl Desk {
        fn new() -> Self {
            let ambient = Ambient::system();
            Self { folder: tempfile::tempdir().expect("a folder"), house: Secret::random(&ambient), ambient }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("ledger.holds")
        }

        fn log(&self) -> HoldLog {
            HoldLog::new(self.path(), &self.house, &self.ambient)
        }

        fn hold(&self) -> Hold {
            Hold {
                id: self.ambient.id(),
                attempt: 1,
                at: Time::from_micros(7),
                holder: self.ambient.id(),
                purpose: holds::Purpose { model: "gpt-4o-mini".into(), ..holds::Purpose::default() },
                amounts: Amounts::of(Counted::Cost, 42),
            }
        }
    }

    fn ids(log: &HoldLog) -> BTreeSet<UsageId> {
        log.noted(&mut log.locked()).expect("read").iter().map(|noted| noted.hold.id).collect()
    }

    #[test]
    fn what_was_noted_is_read_again_whole_and_nobody_else_can() {
        let desk = Desk::new();
        let (org, hold) = (desk.ambient.id(), desk.hold());
        desk.log().note(org, &hold).expect("noted");
        let again = desk.log();
        let noted = again.noted(&mut again.locked()).expect("read");
        assert_eq!(noted.iter().map(|noted| (noted.org, &noted.hold)).collect::<Vec<_>>(), [(org, &hold)]);
        let bytes = fs::read(desk.path()).expect("read");
        assert!(!bytes.windows(11).any(|part| part == b"gpt-4o-mini"));
        let stranger = HoldLog::new(desk.path(), &Secret::random(&desk.ambient), &desk.ambient);
        assert!(ids(&stranger).is_empty());
    }

    #[test]
    fn half_a_record_is_dropped_and_what_comes_next_is_kept() {
        let desk = Desk::new();
        let org = desk.ambient.id();
        let (first, second, third) = (desk.hold(), desk.hold(), desk.hold());
        desk.log().note(org, &first).expect("noted");
        let whole = fs::metadata(desk.path()).expect("there").len();
        desk.log().note(org, &second).expect("noted");
        let all = fs::metadata(desk.path()).expect("there").len();
        for length in whole..all {
            let kept = fs::read(desk.path()).expect("read");
            OpenOptions::new().write(true).open(desk.path()).and_then(|file| file.set_len(length)).expect("cut");
            let log = desk.log();
            assert_eq!(ids(&log), [first.id].into(), "cut after {length}");
            log.note(org, &third).expect("noted");
            assert_eq!(ids(&desk.log()), [first.id, third.id].into());
            fs::write(desk.path(), kept).expect("put back");
        }
        // A byte that was changed, or a record in another's place, ends it.
        let mut bytes = fs::read(desk.path()).expect("read");
        bytes[SALT + 40] ^= 1;
        fs::write(desk.path(), &bytes).expect("changed");
        assert!(ids(&desk.log()).is_empty());
    }

    #[tokio::test]
    async fn a_command_beside_a_server_cuts_nothing_off_that_the_server_is_writing() {
        let desk = Desk::new();
        let folder = desk.folder.path();
        let settings = Settings {
            place: Place::Embedded { data: folder.join("data"), open_files: 4, cache_kib: 256 },
            master_key_file: folder.join("keys/master.key"),
            audit_heads: folder.join("keys/audit-heads.jsonl"),
            blobs: folder.join("data/blobs"),
            bucket: None,
            issuer: "http://test".into(),
        };
        let opened = async || Store::start(&settings, desk.ambient.clone()).await.expect("starts");
        let (org, first, second) = (desk.ambient.id(), desk.hold(), desk.hold());
        let server = opened().await;
        let log = server.hold_log().expect("embedded");
        log.note(org, &first).expect("noted");
        let path = folder.join("data/ledger.holds");
        let before = fs::metadata(&path).expect("there").len();
        log.note(org, &second).expect("noted");
        let whole = fs::read(&path).expect("read");
        // As if the server had come half as far with the second one.
        let file = OpenOptions::new().write(true).open(&path).expect("opened");
        file.set_len(before + 9).expect("cut");
        drop(opened().await);
        assert_eq!(fs::metadata(&path).expect("there").len(), before + 9);
        fs::write(&path, whole).expect("written to its end");
        let third = desk.hold();
        log.note(org, &third).expect("noted");
        drop(server);
        let next = opened().await;
        next.recover_holds().await.expect("recovered");
        let mut tx = next.write_books().await.expect("begun");
        let held = holds::list(&mut tx.page_of(org).expect("its page")).await.expect("listed");
        let held: BTreeSet<UsageId> = held.into_iter().map(|(hold, _)| hold.id).collect();
        assert_eq!(held, [first.id, second.id, third.id].into());
    }

    #[test]
    fn begun_anew_it_keeps_what_it_is_told_to_and_an_erased_organisation_never_comes_back() {
        let desk = Desk::new();
        let [acme, beta]: [OrgId; 2] = [desk.ambient.id(), desk.ambient.id()];
        let (of_acme, of_beta, over) = (desk.hold(), desk.hold(), desk.hold());
        let log = desk.log();
        for (org, hold) in [(acme, &of_acme), (beta, &of_beta), (acme, &over)] {
            log.note(org, hold).expect("noted");
        }
        log.renew(&mut log.locked(), [(acme, &of_acme), (beta, &of_beta)].into_iter()).expect("begun anew");
        assert_eq!(ids(&log), [of_acme.id, of_beta.id].into());
        log.erase(acme).expect("erased");
        assert_eq!(ids(&desk.log()), [of_beta.id].into());
        assert!(matches!(log.note(acme, &over), Err(Error::NotFound(_))));
        log.renew(&mut log.locked(), [(acme, &of_acme), (beta, &of_beta)].into_iter()).expect("begun anew");
        assert_eq!(ids(&desk.log()), [of_beta.id].into());
    }
}
