//! When a limit will be used up if things go on as they did so far.

use std::time::Duration;

use domain::Time;
use domain::limits::Span;

/// Forecasts beyond this are none: nobody plans so far ahead.
const FARTHEST: Duration = Duration::from_hours(24 * 366 * 10);

/// When the cap is reached, if as much is used in each hour to come as in each hour of the period so far. None when that is not
/// within the period, or nothing was used yet. `since` is where a period without beginning begins.
#[must_use]
pub fn exhausted_at(span: Span, since: Time, cap: i64, used: i64, now: Time) -> Option<Time> {
    if used <= 0 {
        return None;
    }
    if used >= cap {
        return Some(now);
    }
    let elapsed = now.since(span.from.max(since)).as_micros();
    // Without a moment behind there is no pace.
    let elapsed = i128::try_from(elapsed).ok().filter(|elapsed| *elapsed > 0)?;
    let left = i128::from(cap) - i128::from(used);
    let ahead = (left * elapsed).div_euclid(i128::from(used));
    let ahead = u64::try_from(ahead).ok().map(Duration::from_micros).filter(|ahead| *ahead < FARTHEST)?;
    let reached = now + ahead;
    span.until.is_none_or(|until| reached < until).then_some(reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn day(n: i64) -> Time {
        Time::from_micros(n * DAY)
    }

    #[test]
    fn what_goes_on_as_before_is_used_up_when_the_line_says() {
        let month = Span { from: day(0), until: Some(day(30)) };
        let forecast = |cap, used, now| exhausted_at(month, day(0), cap, used, day(now));
        assert_eq!(forecast(1_000, 500, 10), Some(day(20)));
        assert_eq!(forecast(1_000, 300, 10), None, "not within the month");
        assert_eq!(forecast(1_000, 334, 10), Some(day(10) + Duration::from_micros(1_722_826_347_305)));
        assert_eq!(forecast(1_000, 0, 10), None);
        assert_eq!(forecast(1_000, 1_000, 10), Some(day(10)));
        assert_eq!(forecast(1_000, 999, 0), None, "no time has passed");
        assert_eq!(forecast(i64::MAX, 1, 10), None);
        assert_eq!(forecast(i64::MAX, i64::MAX - 1, 29), Some(day(29)));
    }

    #[test]
    fn without_an_end_the_line_begins_with_the_organisation() {
        let total = Span { from: Time::from_micros(0), until: None };
        assert_eq!(exhausted_at(total, day(100), 1_000, 500, day(110)), Some(day(120)));
        assert_eq!(exhausted_at(total, day(100), i64::MAX, 1, day(110)), None, "nobody plans so far ahead");
    }
}
