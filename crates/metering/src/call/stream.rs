//! A streamed answer on its way to the client.

use domain::limits::Counted;
use domain::{Ambient, UsageId};
use gateway::{Frame, ModelStream, Outcome as End, Usage};
use store::ledger::entries::Outcome;

use super::Receipt;
use super::attempt::{Open, micros};

/// A streamed answer that is settled before its last bit is given; when it is dropped before, the upstream is cancelled and what had
/// come is charged.
#[derive(Debug)]
pub struct MeteredStream {
    pub(super) stream: ModelStream,
    pub(super) open: Open,
    pub(super) ambient: Ambient,
    /// What it cost, in millionths of a US dollar, as soon as it is settled.
    pub(super) cost_micros: i64,
}

impl MeteredStream {
    /// The next bit; none after the last.
    /// # Errors
    /// As the store, when the end cannot be settled: the last bit is not given then.
    pub async fn next(&mut self) -> store::Result<Option<Frame>> {
        let frame = self.stream.next().await;
        if frame.as_ref().is_none_or(|frame| frame.last) {
            let outcome = match self.stream.outcome() {
                Some(End::Complete) => Outcome::Ok,
                Some(End::Failed(why) | End::Broken(why)) => {
                    tracing::warn!(why, "a stream ended before its end");
                    Outcome::Error
                }
                None => Outcome::Error,
            };
            if let Some(settled) = self.settle(outcome) {
                settled.await?;
            }
        }
        Ok(frame)
    }

    /// The operation, as the usage log names it.
    #[must_use]
    pub fn id(&self) -> UsageId {
        self.open.id
    }

    /// What it cost: final when its last bit was given.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        Receipt { id: self.open.id, cost_micros: self.cost_micros }
    }

    /// The tokens that it took, as the upstream says; final when its last bit was given.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.stream.usage()
    }

    fn settle(&mut self, outcome: Outcome) -> Option<impl Future<Output = store::Result<()>> + Send + use<>> {
        let held = self.open.held.take()?;
        let took = micros(self.ambient.now().since(self.open.began));
        let charge = self.open.charge(self.stream.usage(), self.stream.received(), outcome, took);
        self.open.leave(&charge);
        self.cost_micros = charge.amounts.get(Counted::Cost);
        Some(held.settle(charge))
    }
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        // It stands in line when the future is made; nobody has to wait for it.
        drop(self.settle(Outcome::Cancelled));
    }
}
