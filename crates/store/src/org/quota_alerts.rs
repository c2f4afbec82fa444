//! How full an organisation is, measured by what its plan has room for: each threshold that is passed is told once, and once more when
//! there was less in between.
//!
//! What is passed is written in the transaction that passes it, and people are told afterwards by whoever hears of it (`Warnings`).
//! Should the program die right between the two, they are told with the organisation's next document.

use std::sync::{Mutex, PoisonError};

use domain::Time;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::Tx;
use super::knowledge::documents;
use crate::scope::Scope;
use crate::{Result, Store};

/// The thresholds, in percent.
const THRESHOLDS: [i64; 2] = [80, 100];
/// Organisations that wait to be told; the others are heard of with their next document.
const WAITING: usize = 1000;

const NOTED: &str = "what is told of what the log has";

/// What a plan has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Documents.
    Documents,
    /// Bytes of their originals.
    Storage,
}

impl Kept {
    /// As stored, and as the API names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Storage => "storage",
        }
    }
}

/// A threshold that was passed and not told yet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct QuotaAlert {
    /// What is counted: `documents`, `storage`.
    pub counted: String,
    /// Which threshold.
    pub percent: i64,
    /// What there was room for.
    pub cap: i64,
    /// What there was when it was passed.
    pub used: i64,
    /// When.
    pub at: Time,
}

/// Notes what is passed by now, with this transaction; `is_refused` says that something did not fit: what was nearly full
/// is full then.
/// # Errors
/// As the database.
pub async fn weigh(tx: &mut Tx, counted: Kept, used: i64, cap: i64, is_refused: bool) -> Result<()> {
    if !(1..i64::MAX).contains(&cap) {
        return Ok(());
    }
    // Of another cap all is told anew.
    tx.sql("DELETE FROM quota_alerts WHERE counted = $1 AND (cap <> $2 OR rearms_below > $3)")
        .bind(counted.as_str())
        .bind(cap)
        .bind(used)
        .unaudited(NOTED)
        .run()
        .await?;
    let now = tx.now();
    for percent in THRESHOLDS {
        let threshold = share(cap, percent);
        // What did not fit into what was nearly full. Who is refused again and again, with a little less or more there, is told once.
        let is_full = is_refused && percent == 100 && used >= share(cap, THRESHOLDS[0]);
        if used < threshold && !is_full {
            continue;
        }
        let rearms_below = if is_full { share(cap, THRESHOLDS[0]) } else { threshold };
        tx.sql(
            "INSERT INTO quota_alerts (counted, percent, cap, used, rearms_below, at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT DO NOTHING",
        )
        .bind(counted.as_str())
        .bind(percent)
        .bind(cap)
        .bind(used)
        .bind(rearms_below)
        .bind(now)
        .unaudited(NOTED)
        .run()
        .await?;
    }
    let untold: bool = tx.sql("SELECT EXISTS (SELECT 1 FROM quota_alerts WHERE told_at IS NULL)").one().await?;
    if untold {
        tx.will_warn();
    }
    Ok(())
}

/// The smallest number that is so many percent of another.
fn share(cap: i64, percent: i64) -> i64 {
    let exact = (i128::from(cap) * i128::from(percent) + 99) / 100;
    i64::try_from(exact).unwrap_or(i64::MAX)
}

/// Forgets what was told and is not so any more: after documents were deleted.
pub(crate) async fn rearm(tx: &mut Tx) -> Result<()> {
    let any: bool = tx.sql("SELECT EXISTS (SELECT 1 FROM quota_alerts)").one().await?;
    if !any {
        return Ok(());
    }
    let (documents, bytes) = documents::totals(tx).await?;
    tx.sql(
        "DELETE FROM quota_alerts WHERE (counted = 'documents' AND rearms_below > $1) OR (counted = 'storage' AND rearms_below > $2)",
    )
    .bind(documents)
    .bind(bytes)
    .unaudited(NOTED)
    .run()
    .await?;
    Ok(())
}

/// The thresholds that were passed and not told yet.
/// # Errors
/// As the database.
pub async fn untold(tx: &mut Tx) -> Result<Vec<QuotaAlert>> {
    tx.sql(
        "SELECT counted, percent, cap, used, at FROM quota_alerts WHERE told_at IS NULL ORDER BY at, counted, percent",
    )
    .all()
    .await
}

/// Notes that somebody was told.
/// # Errors
/// As the database.
pub async fn told(tx: &mut Tx, alert: &QuotaAlert) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE quota_alerts SET told_at = $4 WHERE counted = $1 AND percent = $2 AND at = $3")
        .bind(&alert.counted)
        .bind(alert.percent)
        .bind(alert.at)
        .bind(now)
        .unaudited(NOTED)
        .run()
        .await?;
    Ok(())
}

/// The organisations that passed a threshold, on their way to whoever tells people.
#[derive(Debug)]
pub(crate) struct Warnings {
    sender: mpsc::Sender<Scope>,
    receiver: Mutex<Option<mpsc::Receiver<Scope>>>,
}

impl Default for Warnings {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl Warnings {
    pub(crate) fn tell(&self, scope: &Scope) {
        let _ = self.sender.try_send(scope.clone());
    }
}

impl Store {
    /// Where thresholds of what plans have room for were passed, for the one task that tells people.
    #[must_use]
    pub fn take_warnings(&self) -> Option<mpsc::Receiver<Scope>> {
        self.0.warnings.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
