//! Work that outlives its client: it runs where it is awaited, and goes on in a task of its own when nobody waits for it any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Work that ends by itself or by a panic, however long somebody waits for it. A task of its own from the beginning would do the same,
/// at the price of waking another thread for it and of being woken by that.
pub(crate) struct Outliving<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

/// What a panic said.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

impl<F: Future<Output: Send> + Send + 'static> Outliving<F> {
    /// Work that is begun when it is awaited.
    pub(crate) fn new(work: F) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Outliving<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        // What it shares with others it shares as a task of its own would, so a panic leaves no more behind than there.
        let polled = match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(done)) => Ok(done),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                Err(Panicked(text.or_else(|| panic.downcast_ref().cloned()).unwrap_or_default()))
            }
        };
        self.0 = None;
        Poll::Ready(polled)
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Outliving<F> {
    fn drop(&mut self) {
        if let Some(work) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn it_gives_what_comes_of_it() {
        assert_eq!(Outliving::new(async { 7 }).await.expect("it ends"), 7);
    }

    #[tokio::test]
    async fn it_goes_on_when_nobody_waits_for_it() {
        let (steps, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let work = {
            let (steps, go) = (steps.clone(), go.clone());
            async move {
                steps.fetch_add(1, Ordering::SeqCst);
                go.notified().await;
                steps.fetch_add(1, Ordering::SeqCst);
                go.notify_one();
            }
        };
        let gone = tokio::time::timeout(Duration::from_millis(20), Outliving::new(work)).await;
        assert!(gone.is_err());
        assert_eq!(steps.load(Ordering::SeqCst), 1, "it was begun once and waits");
        go.notify_one();
        tokio::time::timeout(Duration::from_secs(5), go.notified()).await.expect("it ends");
        assert_eq!(steps.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_ends_it_alone() {
        let failed = Outliving::new(async { assert_eq!(1, 2, "one is not two") }).await;
        assert!(failed.expect_err("it panicked").0.contains("one is not two"));
    }
}
