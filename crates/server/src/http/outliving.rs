//! Work that outlives its client: it runs where it is awaited, and goes on in a task of its own when nobody waits for it any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Work that goes on without a client: it has its time before the program ends. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Unattended(Arc<Mutex<Left>>);

#[derive(Debug, Default)]
struct Left {
    tasks: JoinSet<()>,
    /// The time is over: nothing more is begun.
    over: bool,
}

impl Unattended {
    fn locked(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does work that nobody waits for. Outside a runtime, and when the program is about to end, the work is dropped.
    pub(crate) fn spawn(&self, work: impl Future<Output: Send> + Send + 'static) {
        let (mut left, Ok(runtime)) = (self.locked(), Handle::try_current()) else { return };
        while left.tasks.try_join_next().is_some() {}
        if !left.over {
            left.tasks.spawn_on(async { drop(work.await) }, &runtime);
        }
    }

    /// Waits until all of it has ended, at most until then; what has not ended by then is dropped. Says whether all ended by itself.
    pub(crate) async fn end_by(&self, deadline: Instant) -> bool {
        let mut in_time = true;
        loop {
            let mut tasks = self.take(in_time);
            if tasks.is_empty() {
                return in_time;
            }
            let all = timeout_at(deadline, async { while tasks.join_next().await.is_some() {} }).await;
            in_time &= all.is_ok();
            tasks.shutdown().await;
        }
    }

    /// What is under way. When there is nothing, or no time any more, nothing more is begun either.
    fn take(&self, in_time: bool) -> JoinSet<()> {
        let mut left = self.locked();
        while left.tasks.try_join_next().is_some() {}
        left.over |= !in_time || left.tasks.is_empty();
        std::mem::take(&mut left.tasks)
    }
}

/// Work that ends by itself or by a panic, however long somebody waits for it. A task of its own from the beginning would do the same,
/// at the price of waking another thread for it and of being woken by that.
pub(crate) struct Outliving<F: Future<Output: Send> + Send + 'static> {
    work: Option<Pin<Box<F>>>,
    then: Unattended,
}

/// What a panic said.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

impl<F: Future<Output: Send> + Send + 'static> Outliving<F> {
    /// Work that is begun when it is awaited, and goes on among the unattended.
    pub(crate) fn new(then: &Unattended, work: F) -> Self {
        Self { work: Some(Box::pin(work)), then: then.clone() }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Outliving<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        // What it shares with others it shares as a task of its own would, so a panic leaves no more behind than there.
        let polled = match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(done)) => Ok(done),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                Err(Panicked(text.or_else(|| panic.downcast_ref().cloned()).unwrap_or_default()))
            }
        };
        self.work = None;
        Poll::Ready(polled)
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Outliving<F> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.then.spawn(work);
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
        assert_eq!(Outliving::new(&Unattended::default(), async { 7 }).await.expect("it ends"), 7);
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
        let left = Unattended::default();
        let gone = tokio::time::timeout(Duration::from_millis(20), Outliving::new(&left, work)).await;
        assert!(gone.is_err());
        assert_eq!(steps.load(Ordering::SeqCst), 1, "it was begun once and waits");
        go.notify_one();
        tokio::time::timeout(Duration::from_secs(5), go.notified()).await.expect("it ends");
        assert_eq!(steps.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn before_the_end_it_has_its_time_and_no_more() {
        let ended = Arc::new(AtomicU32::new(0));
        let pause = |millis| {
            let ended = ended.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                ended.fetch_add(1, Ordering::SeqCst);
            }
        };
        let left = Unattended::default();
        left.spawn(pause(30));
        assert!(left.end_by(Instant::now() + Duration::from_secs(5)).await);
        assert_eq!(ended.load(Ordering::SeqCst), 1);
        left.spawn(pause(0));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(ended.load(Ordering::SeqCst), 1, "nothing is begun once the time is over");
        let left = Unattended::default();
        left.spawn(pause(10));
        // What it would leave behind when it is cut off is not begun.
        let (again, inner) = (left.clone(), pause(60_000));
        left.spawn(async move { Outliving::new(&again, inner).await });
        assert!(!left.end_by(Instant::now() + Duration::from_millis(200)).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(ended.load(Ordering::SeqCst), 2, "what was cut off has ended");
    }

    #[tokio::test]
    async fn a_panic_ends_it_alone() {
        let failed = Outliving::new(&Unattended::default(), async { assert_eq!(1, 2, "one is not two") }).await;
        assert!(failed.expect_err("it panicked").0.contains("one is not two"));
    }
}
