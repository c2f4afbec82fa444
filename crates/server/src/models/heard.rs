//! Which models a server of the operator's own has that takes no key: no price list names them, so the server is asked, now and then.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use egress::Egress;
use gateway::Upstream;

use super::directory::locked;

/// For how long an answer counts, and for how long nobody is asked again that gave none.
const FRESH: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_secs(10);
/// How long anybody waits for it: a server that is slow must not make a list slow.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a server said last.
#[derive(Debug, Default)]
pub(super) struct Heard {
    known: Mutex<Known>,
    /// One asks, the others wait for what it hears.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    names: Arc<[String]>,
    until: Option<Instant>,
}

impl Heard {
    /// The names that were heard last.
    pub(super) fn names(&self) -> Arc<[String]> {
        locked(&self.known).names.clone()
    }

    /// Asks the server, unless it was asked a moment ago. When it does not answer, what it said before stands.
    pub(super) async fn ask(&self, upstream: &Upstream, egress: &Egress) {
        let _turn = self.turn.lock().await;
        if locked(&self.known).until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        let asked = tokio::time::timeout(PATIENCE, upstream.models(egress)).await;
        let mut known = locked(&self.known);
        match asked {
            Ok(Ok(names)) => *known = Known { names: names.into(), until: Some(Instant::now() + FRESH) },
            Ok(Err(error)) => {
                tracing::warn!(log = error.log, "a server without a key does not say which models it has");
                known.until = Some(Instant::now() + AGAIN);
            }
            Err(_) => {
                tracing::warn!("a server without a key does not say in time which models it has");
                known.until = Some(Instant::now() + AGAIN);
            }
        }
    }
}
