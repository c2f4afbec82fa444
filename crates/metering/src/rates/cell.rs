//! The generic cell rate algorithm as one pure function: what a cell holds, a time and a cost go in; a verdict comes out.
//!
//! ITU-T I.371 gives it in two equal forms: the theoretical arrival time of the next call, and a bucket that leaks. This is the second,
//! because it stays exact: a cell counts in millionths of a second of a minute, so a minute's worth of a limit of 7 is 7 and never 6 or
//! 8, and a limit that changes finds the calls that were made. The script in `take.lua` computes the same; a test compares them.

use std::time::Duration;

use domain::Time;

/// The window of all rates, in microseconds.
pub(super) const MINUTE: u64 = 60_000_000;
/// The highest limit. Up to here a full cell is a whole number that a double holds, which is all that Lua has.
pub const HIGHEST: u64 = 100_000_000;
/// No cell owes more than this many minutes of its limit, whatever it was charged afterwards.
const LONGEST: u64 = 60;

/// So many a minute; a minute's worth may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate(u64);

/// What was taken and has not leaked away yet, and when that was computed. An empty cell is as good as none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// Pieces times [`MINUTE`]; as many leak away each microsecond as the rate has in a minute.
    pub(super) owed: u64,
    pub(super) at: Time,
}

/// Whether something fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It fits; this is the cell with it.
    Fits(Cell),
    /// It fits after this time, when nobody else takes anything.
    Wait(Duration),
    /// It is more than the limit and never fits.
    Never,
}

impl Rate {
    /// A rate from 1 to [`HIGHEST`]; what is outside is brought inside.
    #[must_use]
    pub fn per_minute(limit: u64) -> Self {
        Self(limit.clamp(1, HIGHEST))
    }

    /// How many in a minute.
    #[must_use]
    pub const fn limit(self) -> u64 {
        self.0
    }

    /// A share of the rate, at least 1 a minute.
    #[must_use]
    pub fn shared_by(self, nodes: u64) -> Self {
        Self::per_minute(self.0 / nodes.max(1))
    }

    const fn full(self) -> u64 {
        self.0 * MINUTE
    }

    /// The cell as it is at a time. A clock that was set back leaks nothing; one that was set ahead leaks a full cell at most.
    #[must_use]
    pub fn at(self, cell: Cell, now: Time) -> Cell {
        let passed = u64::try_from(now.micros().saturating_sub(cell.at.micros())).unwrap_or(0);
        Cell { owed: cell.owed.saturating_sub(passed.saturating_mul(self.0)), at: now }
    }

    /// Takes so many out of a cell, or says when they fit.
    #[must_use]
    pub fn take(self, cell: Cell, now: Time, cost: u64) -> Verdict {
        let cell = self.at(cell, now);
        // What costs nothing passes, also when the limit was lowered below what is owed.
        if cost == 0 {
            return Verdict::Fits(cell);
        }
        if cost > self.0 {
            return Verdict::Never;
        }
        let owed = cell.owed.saturating_add(cost * MINUTE);
        if owed <= self.full() {
            Verdict::Fits(Cell { owed, at: now })
        } else {
            Verdict::Wait(self.leaks(owed - self.full()))
        }
    }

    /// Charges more to a cell, or gives some back, whether it fits or not.
    #[must_use]
    pub fn correct(self, cell: Cell, now: Time, by: i64) -> Cell {
        let cell = self.at(cell, now);
        let amount = by.unsigned_abs().saturating_mul(MINUTE);
        let owed = if by < 0 { cell.owed.saturating_sub(amount) } else { cell.owed.saturating_add(amount) };
        Cell { owed: owed.min(self.full() * LONGEST), at: now }
    }

    /// How many would fit at the time of the cell.
    #[must_use]
    pub const fn remaining(self, cell: Cell) -> u64 {
        self.full().saturating_sub(cell.owed) / MINUTE
    }

    /// How long after its time the cell is empty.
    #[must_use]
    pub fn empty_in(self, cell: Cell) -> Duration {
        self.leaks(cell.owed)
    }

    fn leaks(self, owed: u64) -> Duration {
        Duration::from_micros(owed.div_ceil(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(micros: i64) -> Time {
        Time::from_micros(1_700_000_000_000_000 + micros)
    }

    fn fits(verdict: Verdict) -> Option<Cell> {
        if let Verdict::Fits(cell) = verdict { Some(cell) } else { None }
    }

    #[test]
    fn the_sixth_of_five_a_minute_waits_for_twelve_seconds() {
        let rate = Rate::per_minute(5);
        let mut cell = Cell::default();
        for left in (0..5).rev() {
            cell = fits(rate.take(cell, at(0), 1)).expect("it fits");
            assert_eq!(rate.remaining(cell), left);
        }
        assert_eq!(rate.take(cell, at(0), 1), Verdict::Wait(Duration::from_secs(12)));
        assert_eq!(rate.take(cell, at(11_999_999), 1), Verdict::Wait(Duration::from_micros(1)));
        let cell = fits(rate.take(cell, at(12_000_000), 1)).expect("one has leaked away");
        assert_eq!((rate.remaining(cell), rate.empty_in(cell)), (0, Duration::from_mins(1)));
        assert_eq!(rate.take(cell, at(12_000_000), 6), Verdict::Never);
    }

    #[test]
    fn a_clock_that_jumps_neither_locks_anybody_out_nor_opens_more_than_a_minutes_worth() {
        let rate = Rate::per_minute(10);
        let full = fits(rate.take(Cell::default(), at(0), 10)).expect("it fits");
        // An hour back: what is owed leaks from there on, and not for an hour longer.
        let hour = 3_600_000_000;
        assert_eq!(rate.take(full, at(-hour), 1), Verdict::Wait(Duration::from_secs(6)));
        let back = rate.at(full, at(-hour));
        assert!(fits(rate.take(back, at(-hour + 6_000_000), 1)).is_some());
        // A year ahead: empty, and ten fit.
        let cell = fits(rate.take(full, at(hour * 24 * 365), 10)).expect("it fits");
        assert!(fits(rate.take(cell, at(hour * 24 * 365), 1)).is_none());
        assert!(fits(rate.take(full, Time::from_micros(i64::MAX), 10)).is_some());
        assert!(fits(rate.take(full, Time::from_micros(i64::MIN), 1)).is_none());
    }

    #[test]
    fn what_was_not_used_comes_back_and_what_was_used_above_is_owed() {
        let rate = Rate::per_minute(1000);
        let cell = fits(rate.take(Cell::default(), at(0), 900)).expect("it fits");
        let less = rate.correct(cell, at(0), -800);
        assert_eq!(rate.remaining(less), 900);
        let more = rate.correct(cell, at(0), 600);
        assert_eq!((rate.remaining(more), rate.empty_in(more)), (0, Duration::from_secs(90)));
        assert_eq!(rate.correct(cell, at(0), i64::MIN).owed, 0);
        assert_eq!(rate.empty_in(rate.correct(cell, at(0), i64::MAX)), Duration::from_hours(1));
    }

    #[test]
    fn a_limit_that_changes_counts_the_calls_that_were_made() {
        let cell = fits(Rate::per_minute(100).take(Cell::default(), at(0), 30)).expect("it fits");
        assert_eq!(Rate::per_minute(40).remaining(cell), 10);
        assert!(matches!(Rate::per_minute(20).take(cell, at(0), 1), Verdict::Wait(_)));
        assert!(fits(Rate::per_minute(20).take(cell, at(0), 0)).is_some());
    }

    proptest! {
        #[test]
        fn a_minutes_worth_fits_at_once_and_not_one_more(limit in 1..=HIGHEST, parts in 1..20_u64) {
            let rate = Rate::per_minute(limit);
            let mut cell = Cell::default();
            let part = limit / parts;
            for cost in std::iter::repeat_n(part, usize::try_from(parts).expect("small")).chain([limit - part * parts]) {
                cell = fits(rate.take(cell, at(0), cost)).expect("all of it fits");
            }
            prop_assert!(fits(rate.take(cell, at(0), 1)).is_none());
        }

        #[test]
        fn no_window_lets_more_through_than_the_limit_and_what_leaks_meanwhile(
            limit in 1..500_u64,
            calls in prop::collection::vec((0..5_000_000_i64, 1..40_u64), 1..200),
        ) {
            let rate = Rate::per_minute(limit);
            let (mut cell, mut now) = (Cell::default(), 0);
            let mut passed: Vec<(i64, u64)> = Vec::new();
            for (pause, cost) in calls {
                now += pause;
                match rate.take(cell, at(now), cost) {
                    Verdict::Fits(with) => {
                        cell = with;
                        passed.push((now, cost));
                    }
                    Verdict::Wait(wait) => {
                        let wait = i64::try_from(wait.as_micros()).expect("short");
                        prop_assert!(fits(rate.take(cell, at(now + wait), cost)).is_some(), "it fits when it was told to");
                        prop_assert!(fits(rate.take(cell, at(now + wait - 1), cost)).is_none(), "and not before");
                    }
                    Verdict::Never => prop_assert!(cost > limit),
                }
            }
            for (n, (from, _)) in passed.iter().enumerate() {
                let mut sum = 0;
                for (until, cost) in &passed[n..] {
                    sum += cost;
                    let leaked = u64::try_from(until - from).expect("later") * limit;
                    prop_assert!(sum * MINUTE <= limit * MINUTE + leaked, "{sum} of {limit} between {from} and {until}");
                }
            }
        }

        #[test]
        fn no_clock_breaks_it(limit in 1..=HIGHEST, owed: u64, then: i64, now: i64, cost: u64, by: i64) {
            let (rate, cell) = (Rate::per_minute(limit), Cell { owed, at: Time::from_micros(then) });
            let now = Time::from_micros(now);
            if let Verdict::Fits(cell) = rate.take(cell, now, cost) {
                prop_assert!(cost == 0 || rate.empty_in(cell) <= Duration::from_mins(1));
            }
            prop_assert!(rate.empty_in(rate.correct(cell, now, by)) <= Duration::from_hours(1));
        }
    }
}
