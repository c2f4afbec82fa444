//! What went wrong with organisations' files, from when it is seen until the file is whole again. An operator is told at once.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::OrgId;

use crate::error::{Error, Result};

/// After how many failures of the disk in a row an organisation is only read.
const FAULTS: u32 = 2;
/// How long it is only read before a write is tried again.
const READ_ONLY: Duration = Duration::from_mins(1);

/// Tells the operator: in the log, where the field `alarm` names the kind, and in the metric `rowhouse_alarms_total`.
pub(crate) fn alarm(kind: &'static str, org: OrgId, what: &str) {
    tracing::error!(alarm = kind, %org, what, "an organisation's store needs an operator");
    metrics::counter!("rowhouse_alarms_total", "alarm" => kind).increment(1);
}

/// A state of a file: any change of it shows in the times or the length, a replacement in the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) inode: (u64, u64),
    pub(crate) length: u64,
    changed: (i64, i64),
    written: (i64, i64),
}

impl Stamp {
    /// The state now; `None` when there is no such file.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            inode: (found.dev(), found.ino()),
            length: found.len(),
            changed: (found.ctime(), found.ctime_nsec()),
            written: (found.mtime(), found.mtime_nsec()),
        })
    }
}

/// The files in trouble. Most of the time there are none.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<HashMap<OrgId, Trouble>>);

#[derive(Debug, Default)]
struct Trouble {
    /// What an opening found, and in which state of the file: while it stands, nobody needs to look again.
    verdict: Option<(Option<Stamp>, String)>,
    /// Failures of the disk since a write last went well.
    faults: u32,
    read_only_until: Option<Instant>,
}

impl Troubles {
    fn all(&self) -> MutexGuard<'_, HashMap<OrgId, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of an error that came out of an open file, and names whose file it was. Says whether the file must be closed.
    pub(crate) fn note(&self, org: OrgId, error: Error) -> (Error, bool) {
        match error {
            Error::Damaged { what, .. } => {
                self.suspect(org);
                alarm("tenant_damaged", org, &what);
                (Error::Damaged { org: org.to_string(), what }, true)
            }
            Error::Disk(what) => {
                let mut all = self.all();
                let trouble = all.entry(org).or_default();
                trouble.faults += 1;
                if trouble.faults >= FAULTS {
                    trouble.read_only_until = Some(Instant::now() + READ_ONLY);
                    alarm("tenant_read_only", org, &what);
                }
                (Error::Disk(what), true)
            }
            other => (other, false),
        }
    }

    /// Has every page of the file read when it is opened next.
    pub(crate) fn suspect(&self, org: OrgId) {
        self.all().entry(org).or_default();
    }

    pub(crate) fn is_suspect(&self, org: OrgId) -> bool {
        self.all().contains_key(&org)
    }

    /// What was found in exactly this state of the file.
    pub(crate) fn verdict(&self, org: OrgId, now: Option<Stamp>) -> Option<Error> {
        let all = self.all();
        let (stamp, what) = all.get(&org)?.verdict.as_ref()?;
        (*stamp == now).then(|| Error::Damaged { org: org.to_string(), what: what.clone() })
    }

    /// Notes that a file cannot be opened in this state; with `None` the state is not known for sure, and is looked at again.
    pub(crate) fn condemn(&self, org: OrgId, state: Option<Option<Stamp>>, what: &str) -> Error {
        self.all().entry(org).or_default().verdict = state.map(|stamp| (stamp, what.to_owned()));
        alarm("tenant_damaged", org, what);
        Error::Damaged { org: org.to_string(), what: what.to_owned() }
    }

    /// Notes that every page of the file is good.
    pub(crate) fn is_whole(&self, org: OrgId) {
        let mut all = self.all();
        if let Some(trouble) = all.get_mut(&org) {
            if trouble.verdict.take().is_some() {
                tracing::info!(%org, "an organisation's store is whole again");
            }
            if trouble.faults == 0 {
                all.remove(&org);
            }
        }
    }

    /// The organisations whose files are in trouble, and what it is.
    pub(crate) fn told(&self) -> Vec<(OrgId, String)> {
        let now = Instant::now();
        let what = |trouble: &Trouble| match &trouble.verdict {
            Some((_, what)) => what.clone(),
            None if trouble.read_only_until.is_some_and(|until| now < until) => {
                "the disk failed; it is only read".into()
            }
            None => "something in it could not be read or written; it is read whole when it is opened next".into(),
        };
        let mut told: Vec<_> = self.all().iter().map(|(org, trouble)| (*org, what(trouble))).collect();
        told.sort();
        told
    }

    /// Forgets an organisation that is no more.
    pub(crate) fn forget(&self, org: OrgId) {
        self.all().remove(&org);
    }

    /// Notes that the disk took a write.
    pub(crate) fn wrote(&self, org: OrgId) {
        let mut all = self.all();
        if all.get(&org).is_some_and(|trouble| trouble.verdict.is_none()) {
            all.remove(&org);
        }
    }

    /// # Errors
    /// [`Error::Damaged`] while the organisation is only read.
    pub(crate) fn check_writable(&self, org: OrgId) -> Result<()> {
        let until = self.all().get(&org).and_then(|trouble| trouble.read_only_until);
        if until.is_some_and(|until| Instant::now() < until) {
            return Err(Error::Damaged {
                org: org.to_string(),
                what: "the disk failed; for now it is only read".into(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::Ambient;

    use super::*;

    #[test]
    fn a_disk_that_fails_twice_in_a_row_makes_an_organisation_read_only() {
        let (troubles, ambient) = (Troubles::default(), Ambient::system());
        let [sick, well]: [OrgId; 2] = [ambient.id(), ambient.id()];
        let fail = || troubles.note(sick, Error::Disk("write failed".into())).1;
        assert!(fail(), "the file is closed");
        assert!(troubles.check_writable(sick).is_ok(), "once is tried again");
        troubles.is_whole(sick);
        troubles.wrote(sick);
        assert!(fail() && troubles.check_writable(sick).is_ok(), "a write went well in between");
        troubles.is_whole(sick);
        assert!(fail() && troubles.check_writable(sick).is_err(), "twice in a row is too often");
        assert!(troubles.check_writable(well).is_ok());
        assert!(!troubles.note(well, Error::Full).1 && !troubles.is_suspect(well), "a full disk is no fault");
    }

    #[test]
    fn a_verdict_holds_for_one_state_of_a_file() {
        let (troubles, org) = (Troubles::default(), Ambient::system().id());
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        troubles.condemn(org, Some(None), "missing");
        assert!(troubles.verdict(org, Stamp::of(&path)).is_some());
        std::fs::write(&path, "now it is there").expect("written");
        assert!(troubles.verdict(org, Stamp::of(&path)).is_none());
        assert!(troubles.is_suspect(org), "until every page was read");
        troubles.is_whole(org);
        assert!(!troubles.is_suspect(org));
    }
}
