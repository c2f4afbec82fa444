//! Circuit breakers: an upstream that fails a tenant again and again is left alone for a while.
//!
//! One for each tenant and upstream, so that one tenant's bad key closes no door for another.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Time;

use crate::error::{ErrorKind, UpstreamError};

/// Failures in a row that open a breaker.
const FAILURES: u32 = 5;
/// How long it stays open; then one call may probe.
const OPEN: Duration = Duration::from_secs(15);
/// A probe that never came back holds its place no longer than this.
const PROBE: Duration = Duration::from_mins(1);
/// Breakers remembered. Only those with failures are; beyond this the one that was used longest ago is forgotten.
const MOST: usize = 10_000;

/// All breakers of a process.
#[derive(Debug, Default)]
pub struct Breakers(Mutex<HashMap<(u128, u128), Breaker>>);

#[derive(Debug, Clone, Copy)]
struct Breaker {
    failures: u32,
    used: Time,
    /// When the last failure or the last probe began, for an open one.
    since: Time,
    probing: bool,
}

/// A breaker is open: the upstream failed too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream failed {FAILURES} times in a row and is left alone for now")]
pub struct Open {
    /// When a try makes sense.
    pub retry_after: Duration,
}

impl Breakers {
    /// Asks whether a call may be made. Whoever is let through reports by [`Breakers::worked`] or [`Breakers::failed`], or
    /// [`Breakers::undecided`] when it ended without showing either.
    /// # Errors
    /// [`Open`].
    pub fn enter(&self, tenant: u128, upstream: u128, now: Time) -> Result<(), Open> {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(breaker) = breakers.get_mut(&(tenant, upstream)) else { return Ok(()) };
        if breaker.failures < FAILURES {
            return Ok(());
        }
        let wait = if breaker.probing { PROBE } else { OPEN };
        let passed = passed(breaker.since, now);
        if passed < wait {
            let left = if breaker.probing { Duration::from_secs(1) } else { wait.saturating_sub(passed) };
            return Err(Open { retry_after: left });
        }
        (breaker.probing, breaker.since, breaker.used) = (true, now, now);
        Ok(())
    }

    /// The upstream answered, or refused a request for what it was: it is well.
    pub fn worked(&self, tenant: u128, upstream: u128) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(tenant, upstream));
    }

    /// The call ended without showing how the upstream is, since the client went away: another may probe.
    pub fn undecided(&self, tenant: u128, upstream: u128) {
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(breaker) = breakers.get_mut(&(tenant, upstream)) {
            breaker.probing = false;
        }
    }

    /// The attempt failed. Whether that tells against the upstream depends on the failure.
    pub fn failed(&self, tenant: u128, upstream: u128, error: &UpstreamError, now: Time) {
        match error.kind {
            ErrorKind::Failed | ErrorKind::Unreachable | ErrorKind::Timeout => {}
            // It lives, and says so.
            ErrorKind::Invalid | ErrorKind::NotFound => return self.worked(tenant, upstream),
            // Waiting is the answer to these, or a change by somebody.
            ErrorKind::RateLimited
            | ErrorKind::Credentials
            | ErrorKind::Exhausted
            | ErrorKind::Refused
            | ErrorKind::Unsupported => return self.undecided(tenant, upstream),
        }
        let mut breakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if breakers.len() >= MOST && !breakers.contains_key(&(tenant, upstream)) {
            let oldest = breakers.iter().min_by_key(|(_, breaker)| breaker.used).map(|(key, _)| *key);
            if let Some(oldest) = oldest {
                breakers.remove(&oldest);
            }
        }
        let fresh = Breaker { failures: 0, used: now, since: now, probing: false };
        let breaker = breakers.entry((tenant, upstream)).or_insert(fresh);
        *breaker = Breaker { failures: breaker.failures.saturating_add(1), used: now, since: now, probing: false };
    }
}

/// A clock that was turned back counts as having stood still.
fn passed(since: Time, now: Time) -> Duration {
    Duration::from_micros(u64::try_from(now.micros().saturating_sub(since.micros())).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Spent;

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn down() -> UpstreamError {
        UpstreamError::new(ErrorKind::Unreachable, Spent::Nothing, "")
    }

    fn opened() -> Breakers {
        let breakers = Breakers::default();
        for _ in 0..FAILURES {
            assert_eq!(breakers.enter(1, 2, at(0)), Ok(()));
            breakers.failed(1, 2, &down(), at(0));
        }
        breakers
    }

    #[test]
    fn failures_in_a_row_open_it_for_one_tenant_alone() {
        let breakers = opened();
        assert_eq!(breakers.enter(1, 2, at(5)), Err(Open { retry_after: Duration::from_secs(10) }));
        assert_eq!(breakers.enter(9, 2, at(5)), Ok(()));
        assert_eq!(breakers.enter(1, 9, at(5)), Ok(()));
    }

    #[test]
    fn one_call_probes_and_its_end_decides() {
        let breakers = opened();
        assert_eq!(breakers.enter(1, 2, at(15)), Ok(()));
        assert!(breakers.enter(1, 2, at(15)).is_err(), "only one probes");
        breakers.failed(1, 2, &down(), at(16));
        assert!(breakers.enter(1, 2, at(30)).is_err());
        assert_eq!(breakers.enter(1, 2, at(31)), Ok(()));
        breakers.worked(1, 2);
        assert_eq!((breakers.enter(1, 2, at(31)), breakers.enter(1, 2, at(31))), (Ok(()), Ok(())));
    }

    #[test]
    fn a_probe_that_shows_nothing_makes_room_for_another() {
        let breakers = opened();
        assert_eq!(breakers.enter(1, 2, at(15)), Ok(()));
        breakers.undecided(1, 2);
        assert_eq!(breakers.enter(1, 2, at(30)), Ok(()));
        // This one never comes back.
        assert!(breakers.enter(1, 2, at(80)).is_err());
        assert_eq!(breakers.enter(1, 2, at(90)), Ok(()));
    }

    #[test]
    fn only_what_tells_against_the_upstream_counts() {
        let breakers = Breakers::default();
        for kind in [ErrorKind::RateLimited, ErrorKind::Credentials, ErrorKind::Invalid, ErrorKind::Exhausted] {
            for _ in 0..10 {
                breakers.failed(1, 2, &UpstreamError::new(kind, Spent::Nothing, ""), at(0));
            }
        }
        assert_eq!(breakers.enter(1, 2, at(0)), Ok(()));
    }

    #[test]
    fn a_clock_turned_back_closes_and_opens_nothing() {
        let breakers = opened();
        assert!(breakers.enter(1, 2, at(-1_000)).is_err());
        assert_eq!(breakers.enter(1, 2, at(15)), Ok(()));
    }

    #[test]
    fn the_number_of_breakers_is_bounded() {
        let breakers = Breakers::default();
        for tenant in 0..MOST as u128 + 10 {
            breakers.failed(tenant, 1, &down(), at(i64::try_from(tenant).expect("small")));
        }
        let kept = breakers.0.lock().expect("nobody panics with it");
        assert!(kept.len() == MOST && !kept.contains_key(&(0, 1)));
    }
}
