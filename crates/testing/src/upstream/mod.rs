//! A model server on loopback that does what a test tells it: it answers in OpenAI's and Anthropic's dialects, or fails in all the
//! ways that model servers have, and counts what it served.
//!
//! It speaks HTTP by hand: a test must be able to break a connection in the middle of anything, and a benchmark must not measure
//! it. Answers are written once, when a script is set, and sent as they are from then on.

mod script;
mod serve;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use script::Written;
pub use script::{Fault, Script};

/// The server. It ends when it is dropped.
pub struct ScriptedUpstream {
    address: SocketAddr,
    state: Arc<State>,
    task: AbortHandle,
}

/// What one connection asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// The headers as they came, one a line, with names as they were sent.
    pub head: String,
    /// The body.
    pub body: String,
}

/// What was served so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// Calls that came in whole, also those that got no answer.
    pub calls: u64,
    /// Answers that went out whole.
    pub complete: u64,
    /// Calls whose client went away before the end of the answer.
    pub cancelled: u64,
    /// Input tokens of the answers that began, as their scripts say.
    pub input: u64,
    /// Output tokens of the answers that went out whole, as their scripts say.
    pub output: u64,
    /// Connections taken.
    pub connections: u64,
}

#[derive(Default)]
struct State {
    by_model: RwLock<HashMap<String, Arc<Written>>>,
    queues: RwLock<HashMap<String, Mutex<VecDeque<Arc<Written>>>>>,
    asked: Mutex<Vec<Asked>>,
    /// Whether requests are kept: not in a benchmark.
    keep: std::sync::atomic::AtomicBool,
    counts: Counts,
    /// Told each time that a call begins or ends in any way.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    complete: AtomicU64,
    cancelled: AtomicU64,
    input: AtomicU64,
    output: AtomicU64,
    connections: AtomicU64,
}

impl ScriptedUpstream {
    /// Starts one that gives every model [`Script::default`].
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        Self::listen("127.0.0.1:0").await
    }

    /// Starts one at an address, for benchmarks.
    /// # Panics
    /// When it is taken.
    pub async fn listen(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::<State>::default();
        state
            .by_model
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(String::new(), Arc::new(Script::default().written()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.counts.connections.fetch_add(1, Ordering::Relaxed);
                let _ = stream.set_nodelay(true);
                connections.spawn(serve::connection(stream, shared.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, state, task: task.abort_handle() }
    }

    /// Its base URL for the OpenAI dialect, ending in `/v1`.
    #[must_use]
    pub fn openai_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Its base URL for the Anthropic dialect.
    #[must_use]
    pub fn anthropic_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on a model answers by this script; the empty name means all that have none.
    pub fn script(&self, model: &str, script: &Script) {
        let written = Arc::new(script.written());
        self.state.by_model.write().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned(), written);
    }

    /// The next call of a model is answered by this script, after those that were queued before.
    pub fn next(&self, model: &str, script: &Script) {
        let mut queues = self.state.queues.write().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(model.to_owned()).or_default();
        queue.get_mut().unwrap_or_else(PoisonError::into_inner).push_back(Arc::new(script.written()));
    }

    /// From now on requests are kept for [`ScriptedUpstream::asked`].
    pub fn keep_requests(&self) {
        self.state.keep.store(true, Ordering::Relaxed);
    }

    /// The requests so far, if they are kept.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was served so far.
    #[must_use]
    pub fn served(&self) -> Served {
        self.state.served()
    }

    /// Waits until what was served is as wished.
    /// # Panics
    /// When it is not within ten seconds.
    pub async fn until(&self, wish: impl Fn(Served) -> bool) -> Served {
        let mut changed = self.state.changed.subscribe();
        let reached = async {
            while !wish(self.served()) {
                changed.changed().await.expect("the server lives as long as this");
            }
        };
        let time = std::time::Duration::from_secs(10);
        assert!(tokio::time::timeout(time, reached).await.is_ok(), "not reached: {:?}", self.served());
        self.served()
    }
}

impl Drop for ScriptedUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    fn served(&self) -> Served {
        let Counts { calls, complete, cancelled, input, output, connections } = &self.counts;
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Served {
            calls: read(calls),
            complete: read(complete),
            cancelled: read(cancelled),
            input: read(input),
            output: read(output),
            connections: read(connections),
        }
    }

    /// The script that answers this call.
    fn choose(&self, model: &str) -> Option<Arc<Written>> {
        if let Some(queue) = self.queues.read().unwrap_or_else(PoisonError::into_inner).get(model)
            && let Some(script) = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
        {
            return Some(script);
        }
        let scripts = self.by_model.read().unwrap_or_else(PoisonError::into_inner);
        scripts.get(model).or_else(|| scripts.get("")).cloned()
    }
}
