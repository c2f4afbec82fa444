//! Several statements on a page in one journey, for batches whose course is known beforehand.

use std::time::Duration;

use domain::limits::LimitKey;
use domain::{Time, UsageId};

use super::balances::{self, Balance, Counter};
use super::entries::{self, Charge};
use super::holds::{self, Hold};
use super::{Page, alerts};
use crate::sql::{Answer, Row};
use crate::{Error, Result};

/// What a batch writes to a page.
#[derive(Debug, Clone)]
pub struct Writes<'a> {
    /// Holds that begin.
    pub holds: Vec<&'a Hold>,
    /// For how long they begin.
    pub lease: Duration,
    /// Holds that end, and as what.
    pub entries: Vec<(&'a Hold, &'a Charge)>,
    /// Thresholds that were passed: of which limit, in the period that began when, at how many percent.
    pub passed: Vec<(LimitKey, Time, i64)>,
    /// Counters as they are now.
    pub balances: Vec<(LimitKey, Time, Balance)>,
}

/// What became of a batch's writes.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// Whether each hold and each entry was new.
    pub all_new: bool,
    /// Whether a threshold was passed that nobody knew of.
    pub news: bool,
}

impl Page<'_> {
    /// Finds the counters that there are, each of another limit or period, and takes holds away that end. Says of as many as were there
    /// whether the past counts differently since they were taken.
    /// # Errors
    /// As the database.
    pub async fn find_and_end(
        &mut self,
        wanted: &[(LimitKey, Time)],
        ends: &[(UsageId, i64)],
    ) -> Result<(Vec<Counter>, Vec<bool>)> {
        balances::finding(self, wanted).queue()?;
        if !ends.is_empty() {
            holds::deleting(self, ends).queue()?;
        }
        let mut answers = self.transaction.send_queued().await?.into_iter().map(|(rows, _)| rows);
        let found = answers.next().unwrap_or_default().into_iter().map(Row::read).collect::<Result<_>>()?;
        let ended = answers.next().unwrap_or_default().into_iter().map(|row| Ok(row.read::<i64>()? != 0));
        Ok((found, ended.collect::<Result<_>>()?))
    }

    /// Writes a batch.
    /// # Errors
    /// As the database.
    pub async fn write_batch(&mut self, writes: &Writes<'_>) -> Result<Written> {
        for hold in &writes.holds {
            holds::inserting(self, hold, writes.lease).queue()?;
        }
        for (hold, charge) in &writes.entries {
            entries::inserting(self, hold, charge).queue()?;
        }
        for (key, from, percent) in &writes.passed {
            alerts::inserting(self, *key, *from, *percent).queue()?;
        }
        if !writes.balances.is_empty() {
            balances::putting(self, &writes.balances).queue()?;
        }
        let answers = self.transaction.send_queued().await?;
        let (new, rest) = answers
            .split_at_checked(writes.holds.len() + writes.entries.len())
            .ok_or_else(|| Error::bug("fewer answers than statements"))?;
        let changed = |(_, changed): &Answer| *changed == 1;
        Ok(Written { all_new: new.iter().all(changed), news: rest.iter().take(writes.passed.len()).any(changed) })
    }
}
