//! Threads that take texts from a bounded queue, one after the other, with the callers taking turns.
//!
//! - Each call is a batch. The threads take one text of each batch in turn, so a short batch is done soon whatever waits beside it.
//! - A caller that goes away takes its batch along; the text that a thread is just at is finished and thrown away.
//! - Work that panics fails that text alone. The thread goes on, with fresh tools.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::Error;

/// The queue and its threads, which end with it.
pub(crate) struct Lane<T>(Arc<Shared<T>>);

struct Shared<T> {
    queue: Mutex<Queue<T>>,
    changed: Condvar,
    /// The most batches that may wait.
    most: usize,
}

struct Queue<T> {
    batches: VecDeque<Batch<T>>,
    threads: usize,
    closed: bool,
}

/// The texts of one call that no thread has taken yet.
struct Batch<T> {
    texts: VecDeque<String>,
    /// The place of the first of them in the call.
    next: usize,
    answers: mpsc::UnboundedSender<(usize, Result<T, Error>)>,
}

impl<T> Shared<T> {
    /// Nothing inside can be half done when something panics.
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Lane<T> {
    /// A queue for at most so many batches, and threads of this name. Each makes its tools by `start`: a function from a text to
    /// its outcome.
    pub(crate) fn new<W>(
        name: &str,
        threads: usize,
        most: usize,
        start: impl Fn() -> W + Clone + Send + 'static,
    ) -> Self
    where
        W: FnMut(&str) -> Result<T, Error>,
    {
        let queue = Mutex::new(Queue { batches: VecDeque::new(), threads: 0, closed: false });
        let shared = Arc::new(Shared { queue, changed: Condvar::new(), most });
        for _ in 0..threads {
            let (start, of) = (start.clone(), shared.clone());
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || of.work(&start));
            match thread {
                Ok(_) => shared.lock().threads += 1,
                Err(error) => tracing::error!(%error, name, "a thread could not be started"),
            }
        }
        Self(shared)
    }

    /// The outcomes of texts, in their order; the first error is that of all. The texts stand in the queue when this returns: the work
    /// goes on while nobody awaits it.
    pub(crate) fn run(&self, texts: Vec<String>) -> impl Future<Output = Result<Vec<T>, Error>> + use<'_, T> {
        let count = texts.len();
        let waiting = self.queue(texts);
        async move {
            let mut outcomes: Vec<Option<T>> = (0..count).map(|_| None).collect();
            if let Some(mut waiting) = waiting? {
                for _ in 0..count {
                    let lost = || Error::Failed("the thread is gone".into());
                    let (place, outcome) = waiting.receiver.recv().await.ok_or_else(lost)?;
                    outcomes[place] = Some(outcome?);
                }
            }
            Ok(outcomes.into_iter().flatten().collect())
        }
    }

    /// Puts texts into the queue, if there are any.
    fn queue(&self, texts: Vec<String>) -> Result<Option<Waiting<'_, T>>, Error> {
        if texts.is_empty() {
            return Ok(None);
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        {
            let mut queue = self.0.lock();
            if queue.threads == 0 {
                return Err(Error::Failed("there is no thread for it".into()));
            }
            if queue.batches.len() >= self.0.most {
                return Err(Error::Busy);
            }
            queue.batches.push_back(Batch { texts: texts.into(), next: 0, answers: sender });
        }
        self.0.changed.notify_all();
        Ok(Some(Waiting { receiver, shared: &self.0 }))
    }

    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.0.lock().batches.iter().map(|batch| batch.texts.len()).sum()
    }
}

impl<T> Shared<T> {
    /// The life of a thread.
    fn work<W: FnMut(&str) -> Result<T, Error>>(&self, start: &impl Fn() -> W) {
        let mut tools = None;
        while let Some((text, place, answers)) = self.next() {
            let outcome = catch_unwind(AssertUnwindSafe(|| tools.get_or_insert_with(start)(&text)));
            let outcome = outcome.unwrap_or_else(|_| {
                tools = None;
                Err(Error::Failed("it panicked".into()))
            });
            // Nobody may be there any more.
            let _ = answers.send((place, outcome));
        }
    }

    /// The text whose turn it is; none when the lane has ended.
    #[expect(clippy::type_complexity, reason = "taken apart at once, by the one caller")]
    fn next(&self) -> Option<(String, usize, mpsc::UnboundedSender<(usize, Result<T, Error>)>)> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            let Some(mut batch) = queue.batches.pop_front() else {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let Some(text) = batch.texts.pop_front() else { continue };
            let taken = (text, batch.next, batch.answers.clone());
            batch.next += 1;
            if !batch.texts.is_empty() {
                queue.batches.push_back(batch);
            }
            return Some(taken);
        }
    }
}

/// A caller, until it has all outcomes or goes away.
struct Waiting<'a, T> {
    receiver: mpsc::UnboundedReceiver<(usize, Result<T, Error>)>,
    shared: &'a Shared<T>,
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        self.receiver.close();
        self.shared.lock().batches.retain(|batch| !batch.answers.is_closed());
    }
}

impl<T> Drop for Lane<T> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
