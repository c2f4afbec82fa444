//! What stands in line for the books, and what the desk says to it.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::UsageId;
use store::Scope;
use store::ledger::entries::Charge;
use tokio::sync::oneshot;

use crate::accounts::Reply;
use crate::held::{Held, Open};
use crate::limit::{Path, Refused};

/// Those who wait for the books: all of them on the embedded engine, those of one organisation on PostgreSQL.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) waiting: VecDeque<Op>,
    /// Somebody serves it.
    pub(crate) served: bool,
}

/// What stands in line.
pub(crate) struct Op {
    pub(crate) scope: Scope,
    pub(crate) task: Task,
}

pub(crate) enum Task {
    Hold {
        open: Arc<Open>,
        reply: oneshot::Sender<Result<Held, Refused>>,
    },
    End {
        open: Arc<Open>,
        charge: Charge,
        reply: Option<Reply>,
    },
    Renew {
        id: UsageId,
        attempt: i64,
    },
    /// Ends holds of programs that died.
    Sweep {
        reply: oneshot::Sender<store::Result<()>>,
    },
    /// Thresholds may be passed without anything being used: a limit was lowered.
    Watch {
        limits: Path,
        reply: oneshot::Sender<store::Result<()>>,
    },
    /// The past counts differently from now on.
    Forget {
        reply: oneshot::Sender<store::Result<()>>,
    },
}

/// What the desk says to a task; sent when the batch is committed.
pub(crate) enum Verdict {
    Held,
    Short(Box<crate::Shortage>),
    /// The same attempt holds already: a mistake of the caller.
    Repeated,
    Done,
}
