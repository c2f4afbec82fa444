//! Turns at looking up names. The system's resolver blocks a thread for as long as it likes, so there are few, and no tenant has more than a
//! share of them: else one with names that nobody answers for would leave none to the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// Names that are looked up at the same time, and those of one tenant.
const ALL: usize = 32;
const SHARE: usize = 4;

pub(crate) struct Lookups {
    all: Arc<Semaphore>,
    /// Of tenants that look up a name, or wait for it.
    shares: Mutex<HashMap<u128, Arc<Semaphore>>>,
}

/// A turn: over when it is dropped.
pub(crate) type Turn = (Option<OwnedSemaphorePermit>, OwnedSemaphorePermit);

impl Default for Lookups {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(ALL)), shares: Mutex::default() }
    }
}

impl Lookups {
    /// Waits for a turn: first among those of the tenant, then among all.
    pub(crate) async fn turn(&self, tenant: Option<u128>) -> Result<Turn, AcquireError> {
        let share = match tenant {
            Some(tenant) => Some(self.share_of(tenant).acquire_owned().await?),
            None => None,
        };
        Ok((share, self.all.clone().acquire_owned().await?))
    }

    fn share_of(&self, tenant: u128) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|_, share| Arc::strong_count(share) > 1);
        shares.entry(tenant).or_insert_with(|| Arc::new(Semaphore::new(SHARE))).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_tenant_has_no_more_turns_than_its_share() {
        let lookups = Lookups::default();
        let turn = async |tenant: Option<u128>| {
            timeout(Duration::from_millis(200), lookups.turn(tenant)).await.ok().and_then(Result::ok)
        };
        let mut held = Vec::new();
        for _ in 0..SHARE {
            held.push(turn(Some(1)).await.expect("its share"));
        }
        assert!(turn(Some(1)).await.is_none(), "it has its share");
        let others = [turn(Some(2)).await, turn(None).await];
        assert!(others.iter().all(Option::is_some), "the others have theirs");
        held.pop();
        assert!(turn(Some(1)).await.is_some(), "one of its own is over");
        drop((held, others));
        drop(turn(Some(3)).await);
        let known = lookups.shares.lock().expect("sound").len();
        assert_eq!(known, 1, "of who looks up nothing nothing is kept");
    }
}
