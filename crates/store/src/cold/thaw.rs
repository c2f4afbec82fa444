//! How a file comes back: whole or not at all, once for all who wait for it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use domain::OrgId;

use super::{Stub, WAIT, blocking, remove, stub_of, sync_folder};
use crate::blobs::Blobs;
use crate::setup::hex;
use crate::{Error, Result, Store};

impl Store {
    /// Brings an organisation's file back to its place, if a stub says that it lies in the bucket. Before anything opens it.
    /// # Errors
    /// [`Error::Damaged`] when its object is gone or does not open; [`Error::Busy`] when it takes too long, or the bucket does not answer.
    pub(crate) async fn wake(&self, org: OrgId) -> Result<()> {
        let store = self.clone();
        // In a task of its own: it goes on when nobody waits for it any more, and the next one who asks finds it further.
        let coming = tokio::spawn(async move { store.thaw(org).await });
        match tokio::time::timeout(WAIT, coming).await {
            Ok(came) => came.map_err(|error| Error::bug(error.to_string()))?,
            Err(_) => Err(Error::Busy("the organisation's file is being brought back")),
        }
    }

    async fn thaw(&self, org: OrgId) -> Result<()> {
        let turn = self.0.cold.turn(org);
        let _turn = turn.lock().await;
        let path = self.files()?.path(org);
        let stub = stub_of(&path);
        if !stub.exists() {
            return Ok(());
        }
        if !path.exists() {
            if let Some(refusal) = self.0.cold.refusal(org) {
                return Err(refusal);
            }
            self.drop_drafts(org).await?;
            let began = Instant::now();
            let came = self.bring(org, &path, &stub).await;
            let outcome = if came.is_ok() { "done" } else { "failed" };
            metrics::counter!("rowhouse_thaws_total", "outcome" => outcome).increment(1);
            metrics::histogram!("rowhouse_thaw_seconds").record(began.elapsed().as_secs_f64());
            came?;
        }
        // The file is the truth from here on: that must be so before anybody writes to it.
        blocking(move || remove(&stub).map_err(|error| Error::Disk(format!("{}: {error}", stub.display())))).await?;
        let store = self.clone();
        tokio::spawn(async move {
            let turn = store.0.cold.turn(org);
            let _turn = turn.lock().await;
            if let Err(error) = store.settle(org).await {
                tracing::warn!(%org, %error, "the object of an organisation that came back stays for now");
            }
        });
        Ok(())
    }

    async fn bring(&self, org: OrgId, path: &Path, stub: &Path) -> Result<()> {
        let place = self.0.cold.places.acquire().await.map_err(|_| Error::bug("closed"))?;
        let came = async {
            let blobs = self.cold_blobs(org).await?;
            if !self.files()?.has_room() {
                return Err(Error::Full);
            }
            let draft = path.with_extension(format!("{}.thaw", hex(&self.ambient().bytes::<8>())));
            let (path, stub) = (path.to_owned(), stub.to_owned());
            blocking(move || {
                let came = fetch(&blobs, &Stub::read(&stub)?, &draft, &path);
                let _ = std::fs::remove_file(&draft);
                came
            })
            .await
        };
        let came = came.await;
        drop(place);
        let what = match came {
            Ok(()) => {
                self.0.cold.forgive(org);
                return Ok(());
            }
            Err(Error::NotFound(_)) => "its file is not in the bucket any more".to_owned(),
            Err(Error::Sealed(what)) => format!("its file in the bucket does not open: {what}"),
            Err(Error::Damaged { what, .. }) => what,
            Err(Error::Disk(what)) => {
                tracing::warn!(%org, what, "an organisation's file could not be brought back and will be asked for again");
                return Err(Error::Busy("the organisation's file cannot be brought back right now"));
            }
            Err(other) => return Err(other),
        };
        if self.0.cold.refuse(org, &what) {
            return Err(self.files()?.condemn(org, &what));
        }
        Err(Error::Damaged { org: org.to_string(), what })
    }
}

/// Writes what the bucket has beside the place, and lets it stand there when it is whole and durable.
fn fetch(blobs: &Blobs, stub: &Stub, draft: &Path, path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::StorageFull => Error::Full,
        _ => Error::Disk(format!("{}: {error}", draft.display())),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft).map_err(failed)?;
    // Its hash is known to be right only when this returns.
    blobs.each_part(&stub.hash, |part| file.write_all(part).map_err(failed))?;
    file.sync_all().map_err(failed)?;
    // A link takes no other file's place, whoever was faster.
    match std::fs::hard_link(draft, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    sync_folder(path).map_err(failed)
}
