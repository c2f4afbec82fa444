//! An amount that somebody holds in the books.

use std::sync::Arc;

use domain::limits::Amounts;
use store::Scope;
use store::ledger::entries::{Charge, Outcome};
use store::ledger::holds::Hold;
use tokio::sync::oneshot;

use crate::accounts::Reply;
use crate::books::Books;
use crate::limit::Path;

/// An amount that is held. It ends by [`Held::settle`], or released when it is dropped.
pub struct Held {
    pub(crate) books: Books,
    pub(crate) open: Option<Arc<Open>>,
}

/// What is held, and where.
pub(crate) struct Open {
    pub(crate) scope: Scope,
    pub(crate) hold: Hold,
    pub(crate) path: Path,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Held({:?})", self.open.as_ref().map(|open| (open.hold.id, open.hold.attempt)))
    }
}

impl Held {
    /// Books what was used in place of what was held. It is in line when this returns its future, so nothing is lost when nobody
    /// waits for it.
    /// # Errors
    /// As the store, when it could not be written in several tries; the hold then ends with its lease.
    pub fn settle(mut self, charge: Charge) -> impl Future<Output = store::Result<()>> + Send {
        let (reply, answer) = oneshot::channel();
        self.end(charge, Some(reply));
        async move { answer.await.unwrap_or(Err(store::Error::Busy("the ledger stopped"))) }
    }

    /// Lets go of what is not held after all.
    pub(crate) fn forget(mut self) {
        self.open = None;
    }

    /// What is held.
    #[must_use]
    pub fn amounts(&self) -> Amounts {
        self.open.as_ref().map_or(Amounts::NONE, |open| open.hold.amounts)
    }

    fn end(&mut self, charge: Charge, reply: Option<Reply>) {
        if let Some(open) = self.open.take() {
            self.books.end(open, charge, reply);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.end(Charge::nothing(Outcome::Cancelled), None);
    }
}
