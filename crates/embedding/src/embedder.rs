//! Texts to vectors, for whoever awaits them.

use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use crate::engine::{Core, Engine};
use crate::lane::Lane;
use crate::{Embedding, Error, MAX_BYTES, MAX_TEXTS};

/// The most threads of each kind. A thread takes a core while it works, and some 10 MB.
const MOST_THREADS: usize = 8;
/// How many queries may wait: those of about a second on two cores.
const QUERIES: usize = 256;
/// How many calls with passages may wait. They take turns, so each still goes on.
const BATCHES: usize = 256;
/// How far threads for passages step back behind all others of the process, on Linux's scale, which ends at 19.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// The model with its threads. Cheap to clone.
#[derive(Clone)]
pub struct Embedder(Arc<Lanes>);

struct Lanes {
    queries: Lane<Embedding>,
    passages: Lane<Embedding>,
}

impl std::fmt::Debug for Embedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedder").finish_non_exhaustive()
    }
}

impl Embedder {
    /// The one of this process, with a thread of each kind for each core, 8 at most. The first text that it is given makes it load the
    /// model.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Embedder> = LazyLock::new(|| {
            let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
            Embedder::new(cores.min(MOST_THREADS))
        });
        &SHARED
    }

    /// One with so many threads of each kind, at least one. All share the model.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        let lane = |name, most, back: bool| {
            Lane::new(name, threads.max(1), most, move || {
                let core = Core::new(move || {
                    if back {
                        step_back();
                    }
                });
                move |text: &str| Engine::shared()?.embed(text, &core)
            })
        };
        let (queries, passages) = (lane("embed-query", QUERIES, false), lane("embed-passage", BATCHES, true));
        Self(Arc::new(Lanes { queries, passages }))
    }

    /// The vector of a short text that somebody waits for. It has its place in the queue when this returns, so other things can be done
    /// before it is awaited. Dropping the future gives the place back.
    /// # Errors
    /// [`Error::Busy`] when 256 wait already, [`Error::Failed`].
    pub fn query(&self, text: &str) -> impl Future<Output = Result<Embedding, Error>> + use<'_> {
        let outcome = self.0.queries.run(vec![read(text).to_owned()]);
        async move { outcome.await?.into_iter().next().ok_or_else(|| Error::Failed("no outcome".into())) }
    }

    /// The vectors of texts, in their order. Calls take turns text by text, so that none waits for the whole of another; give some
    /// dozens at once, and the next when they are back. Dropping the future takes those that have not begun out of the queue.
    /// # Errors
    /// [`Error::TooMany`], [`Error::Busy`] when 256 calls wait already, [`Error::Failed`]; then for none.
    pub async fn passages(&self, mut texts: Vec<String>) -> Result<Vec<Embedding>, Error> {
        if texts.len() > MAX_TEXTS {
            return Err(Error::TooMany);
        }
        for text in &mut texts {
            let length = read(text).len();
            if length < text.len() {
                // What is not read need not wait.
                text.truncate(length);
                text.shrink_to_fit();
            }
        }
        self.0.passages.run(texts).await
    }
}

/// The part of a text that is read.
fn read(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_BYTES)]
}

/// Lets all other threads go first. On Linux a priority belongs to the thread that sets it; elsewhere it would be the whole process's.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let stepped = getpriority_process(None).and_then(|usual| setpriority_process(None, (usual + NICENESS).min(19)));
        if let Err(error) = stepped {
            tracing::warn!(%error, "threads for passages keep the usual priority");
        }
    }
}
