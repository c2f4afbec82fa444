//! Taking away originals that nothing needs any more: after what needed them is gone for good.
//!
//! It is done in a turn of its own, while nobody else writes to the organisation's store; whoever brings the same file at that moment
//! looks in their turn whether it is still there. When it fails the originals stay, sealed, until the next that is deleted.
//!
//! A turn is short, however much there is to remove: others come in between, and PostgreSQL ends a turn in which nothing is said for ten
//! seconds. What is removed in a turn was found in the same turn to be needed by nothing.

use std::time::{Duration, Instant};

use domain::OrgId;

use super::versions;
use crate::blobs::{Blobs, Lying};
use crate::scope::Scope;
use crate::{Error, OrgStore, Result, Store, troubles};

/// How long one turn goes on with removing, and how many it removes at the most. One that began goes on to its end: a few seconds.
const TURN: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 500;

/// Takes away those of these originals that nothing needs.
pub async fn forget(store: &Store, scope: &Scope, hashes: Vec<String>) {
    report(forgotten(store, scope, hashes).await);
}

/// Takes away all that nothing needs.
pub async fn sweep(store: &Store, scope: &Scope) {
    report(swept(store, scope).await);
}

/// Takes what was deleted out of the index of words and the log of the organisation's file, too.
pub async fn rinse(store: &Store, scope: &Scope) {
    if let Err(error) = store.open(scope).rinse().await {
        tracing::warn!(%error, "what was deleted stays in the file for now, sealed");
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
            // The turn goes along: it lasts until the original is removed, though nobody may wait for that any more.
            drop(blocking(move || blobs.remove(&hash).map(|()| tx)).await?);
        }
    }
    Ok(())
}

async fn swept(store: &Store, scope: &Scope) -> Result<()> {
    let org = store.open(scope);
    let blobs = org.blobs().await?;
    // Looked for in no turn: a long list takes its time.
    let all = blobs.clone();
    let lying = blocking(move || all.lying()).await?;
    let mut tx = org.read().await?;
    let needed = versions::needed(&mut tx).await?;
    drop(tx);
    let mut left = blobs.unneeded(lying, &needed);
    while !left.is_empty() {
        left = remove_some(&org, &blobs, left).await?;
    }
    Ok(())
}

/// Removes in one turn those of the first that are needed by nothing now, as far as it comes; gives those that are left.
async fn remove_some(org: &OrgStore, blobs: &Blobs, mut left: Vec<Lying>) -> Result<Vec<Lying>> {
    let later = left.split_off(left.len().min(AT_ONCE));
    let mut tx = org.begin().await?;
    let needed = versions::needed(&mut tx).await?;
    let (began, blobs) = (Instant::now(), blobs.clone());
    // The turn goes along, as above.
    let (tx, rest) = blocking(move || {
        let mut some = blobs.unneeded(left, &needed).into_iter();
        // Looked at before each: a program that was stopped for a while has lost its turn.
        while began.elapsed() < TURN
            && let Some(one) = some.next()
        {
            blobs.remove_lying(&one)?;
        }
        Ok((tx, some))
    })
    .await?;
    // Fails when the turn was lost, and nothing more is removed then.
    tx.commit().await?;
    Ok(rest.chain(later).collect())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Bug(error.to_string()))?
}
