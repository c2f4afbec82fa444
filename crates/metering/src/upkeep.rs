//! What is done for the books in the background: flushes, and leases that are prolonged.

use std::sync::Weak;
use std::time::Duration;

use store::Store;

use crate::books::{Books, Inner};
use crate::line::{Op, Task};

/// Flushes when something was settled, all that came meanwhile in one go.
pub(crate) async fn flush_now_and_then(books: Weak<Inner>) {
    loop {
        let Some(inner) = books.upgrade() else { return };
        let pause = inner.settings.flush;
        // Looked at once a second whether the books are still in use.
        let waited = tokio::time::timeout(Duration::from_secs(1), inner.unflushed.notified()).await;
        Books(inner.clone()).tidy();
        if waited.is_ok() {
            tokio::time::sleep(pause).await;
            // Whoever settled was told long ago; the operator hears of it.
            let _ = flush(&inner.store).await;
        }
    }
}

/// Prolongs what this program holds, three times in the length of a lease. Where it is alone, nobody asks for its leases.
pub(crate) async fn renew_now_and_then(books: Weak<Inner>) {
    loop {
        let Some(pause) = books.upgrade().map(|inner| inner.settings.lease / 3) else { return };
        tokio::time::sleep(pause).await;
        let Some(inner) = books.upgrade() else { return };
        let books = Books(inner);
        if books.is_alone() {
            return;
        }
        for open in books.0.accounts.live() {
            let (id, attempt) = open.key();
            let _ = books.push(Op { scope: open.scope.clone(), task: Task::Renew { id, attempt } });
        }
    }
}

/// Makes what was settled survive a power cut; what stands in the way is told to the operator, too.
pub(crate) async fn flush(store: &Store) -> store::Result<()> {
    let flushed = store.flush_ledger().await;
    match &flushed {
        Ok(()) => metrics::counter!("rowhouse_ledger_flushes_total").increment(1),
        Err(error) => {
            metrics::counter!("rowhouse_alarms_total", "alarm" => "ledger_flush_failed").increment(1);
            tracing::error!(alarm = "ledger_flush_failed", %error, "the ledger could not be flushed; a power cut now loses what was settled last");
        }
    }
    flushed
}
