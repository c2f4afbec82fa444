//! Taking away originals that nothing needs any more: after what needed them is gone for good.
//!
//! It is done in a turn of its own, while nobody else writes to the organisation's store; whoever brings the same file at that moment
//! looks in their turn whether it is still there. When it fails the originals stay, sealed, until the next that is deleted.

use domain::OrgId;

use super::versions;
use crate::scope::Scope;
use crate::{Error, Result, Store, troubles};

/// Takes away those of these originals that nothing needs.
pub async fn forget(store: &Store, scope: &Scope, hashes: Vec<String>) {
    report(forgotten(store, scope, hashes).await);
}

/// Takes away all that nothing needs.
pub async fn sweep(store: &Store, scope: &Scope) {
    report(swept(store, scope).await);
}

/// Takes what was deleted out of the log of the organisation's file, too.
pub async fn rinse(store: &Store, scope: &Scope) {
    if let Err(error) = store.open(scope).rinse().await {
        tracing::warn!(%error, "what was deleted stays in the log of the file for now, sealed");
    }
}

/// Tells the operator of an original that a document needs and that does not open.
pub fn alarm(org: OrgId, what: &str) {
    troubles::alarm("original_lost", org, what);
}

fn report(outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "originals that nothing needs stay for now");
    }
}

async fn forgotten(store: &Store, scope: &Scope, hashes: Vec<String>) -> Result<()> {
    let org = store.open(scope);
    let blobs = org.blobs().await?;
    for hash in hashes {
        // A turn for each: others come in between.
        let mut tx = org.begin().await?;
        if versions::unused(&mut tx, &hash).await? {
            let blobs = blobs.clone();
            blocking(move || blobs.remove(&hash)).await?;
        }
    }
    Ok(())
}

async fn swept(store: &Store, scope: &Scope) -> Result<()> {
    let org = store.open(scope);
    let blobs = org.blobs().await?;
    let mut tx = org.begin().await?;
    let needed = versions::needed(&mut tx).await?;
    blocking(move || blobs.keep_only(&needed)).await
}

async fn blocking(work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Bug(error.to_string()))?
}
