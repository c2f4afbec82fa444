//! How a file goes: it is closed, copied into the bucket, and removed only when nobody touched it meanwhile.

use std::io::Read as _;
use std::path::Path;

use domain::{OrgId, Time};

use super::{PAGE, Stub, blocking, remove, stub_of, sync_folder};
use crate::blobs::{Blobs, PART, Written};
use crate::control::{frozen, organisations};
use crate::files::Rest;
use crate::sql::Access;
use crate::{Error, Result, Store, Turn};

impl Store {
    /// Puts the files of organisations that nobody used since the given time into the bucket, at most `most` of them, one after the other;
    /// says how many. None on PostgreSQL, and when there is no bucket.
    /// # Errors
    /// As the control database; a file that cannot go now stays.
    pub async fn freeze_unused(&self, since: Time, most: usize) -> Result<usize> {
        if self.files().is_err() || self.0.bucket.is_none() {
            return Ok(0);
        }
        let (mut gone, mut after) = (0, None);
        loop {
            let page = organisations::list(&mut self.read_control().await?, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(gone) };
            after = Some(last.id);
            for org in page.iter().filter(|one| one.status.is_whole()).map(|one| one.id) {
                if gone >= most {
                    return Ok(gone);
                }
                match self.freeze(org, since).await {
                    Ok(did) => gone += usize::from(did),
                    Err(error) => tracing::warn!(%org, %error, "an organisation's file stays where it is for now"),
                }
            }
        }
    }

    /// Puts an organisation's file into the bucket, if nobody used it since the given time; says whether it did.
    async fn freeze(&self, org: OrgId, since: Time) -> Result<bool> {
        let turn = self.0.cold.turn(org);
        // One that is coming back is in use.
        let Ok(_turn) = turn.try_lock() else { return Ok(false) };
        let store = self.clone();
        let rest = blocking(move || Ok(store.files()?.at_rest(org, since))).await?;
        let Some(rest) = rest else { return Ok(false) };
        if self.files()?.has_log(org) {
            // Of a server that died: opening the file takes it in.
            drop(self.tenant(org, Access::Read).await?);
            return Ok(false);
        }
        // Noted first: whatever a crash leaves from here on is found by the note.
        if !self.note(org, "", 0).await? {
            return Ok(false);
        }
        let gone = self.put_away(org, &rest).await;
        match gone {
            Ok(true) => metrics::counter!("rowhouse_freezes_total").increment(1),
            // Somebody used it meanwhile, or the bucket does not take it.
            Ok(false) | Err(_) => self.settle(org).await?,
        }
        gone
    }

    async fn note(&self, org: OrgId, hash: &str, bytes: u64) -> Result<bool> {
        let mut tx = self.begin_control(Turn::Free).await?;
        let noted = frozen::put(&mut tx, org, hash, i64::try_from(bytes).unwrap_or(i64::MAX)).await?;
        tx.commit().await?;
        Ok(noted)
    }

    async fn put_away(&self, org: OrgId, rest: &Rest) -> Result<bool> {
        let blobs = self.cold_blobs(org).await?;
        let (path, up) = (rest.path.clone(), blobs.clone());
        let written = blocking(move || copy_up(&path, &up)).await?;
        if !self.note(org, &written.hash, written.size).await? {
            return Ok(false);
        }
        let stub = Stub { hash: written.hash.clone(), bytes: written.size, at: self.ambient().now() };
        let path = rest.path.clone();
        // Nobody opens it while this is done, and nobody has since it was read.
        let gone = self.files()?.alone(org, rest, move || {
            let failed = |error: std::io::Error| Error::Disk(format!("{}: {error}", path.display()));
            stub.write(&stub_of(&path)).map_err(failed)?;
            remove(&path).map_err(failed)
        });
        if gone.await?.is_none() {
            return Ok(false);
        }
        // Of earlier times.
        let hash = written.hash;
        blocking(move || blobs.remove_files(Some(&hash))).await?;
        Ok(true)
    }
}

/// Copies a file into the bucket; it is there, whole and durable, when this returns.
fn copy_up(path: &Path, blobs: &Blobs) -> Result<Written> {
    let failed = |error: std::io::Error| Error::Disk(format!("{}: {error}", path.display()));
    sync_folder(path).map_err(failed)?;
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut draft = blobs.draft()?;
    let mut buffer = vec![0; PART];
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            return draft.finish();
        }
        draft.write(&buffer[..read])?;
    }
}
