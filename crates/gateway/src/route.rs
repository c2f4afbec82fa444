//! What to do when one of the targets that a model's name leads to fails.
//!
//! Nothing here sends. Whoever pays for attempts makes them one by one, each under a hold of its own, and asks [`next`] after each
//! failure.

use std::time::Duration;

use crate::error::{ErrorKind, UpstreamError};

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask the same target again, after this time.
    Retry {
        /// How long to wait.
        after: Duration,
    },
    /// Ask the next target, if there is one; else give the error to the client.
    Fallback,
    /// Give the error to the client: no target would answer differently.
    GiveUp,
}

/// Most repetitions at one target.
pub const RETRIES: u32 = 2;
/// The longest wait that an upstream may ask for; beyond it another target is better.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Decides after a failure, which is always one before the first byte. `retries` were made at this target before; `random` spreads
/// the pauses of many callers.
///
/// A request that the upstream may have worked on is not sent to it again: it may charge for both. Another target is asked then,
/// under a hold of its own, unless time is what ran out: the client has waited long enough.
#[must_use]
pub fn next(error: &UpstreamError, retries: u32, random: u64) -> Next {
    let transient = match error.kind {
        ErrorKind::Invalid => return Next::GiveUp,
        ErrorKind::Credentials
        | ErrorKind::NotFound
        | ErrorKind::Exhausted
        | ErrorKind::Refused
        | ErrorKind::Unsupported => false,
        ErrorKind::RateLimited | ErrorKind::Unreachable => true,
        ErrorKind::Failed | ErrorKind::Timeout => error.status.is_some_and(|status| status == 408 || status >= 500),
    };
    let again = error.should_retry.unwrap_or(transient) && error.spent == crate::error::Spent::Nothing;
    if !again || retries >= RETRIES {
        return Next::Fallback;
    }
    match error.retry_after {
        Some(wait) if wait > LONGEST_WAIT => Next::Fallback,
        // At least what was asked for, and up to a quarter more.
        Some(wait) => Next::Retry { after: wait + spread(wait / 4, random) },
        None => {
            let pause = FIRST_PAUSE * 2u32.pow(retries);
            Next::Retry { after: pause / 2 + spread(pause / 2, random) }
        }
    }
}

/// Some part of a duration.
fn spread(most: Duration, random: u64) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "a fraction need not be exact")]
    let fraction = (random >> 11) as f64 / (1u64 << 53) as f64;
    most.mul_f64(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Spent;

    fn error(kind: ErrorKind, status: Option<u16>) -> UpstreamError {
        let mut error = UpstreamError::new(kind, Spent::Nothing, "");
        error.status = status;
        error
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_twice() {
        for (kind, status) in
            [(ErrorKind::RateLimited, Some(429)), (ErrorKind::Failed, Some(503)), (ErrorKind::Unreachable, None)]
        {
            let error = error(kind, status);
            assert!(matches!(next(&error, 0, 7), Next::Retry { .. }), "{kind:?}");
            assert!(matches!(next(&error, 1, 7), Next::Retry { .. }), "{kind:?}");
            assert_eq!(next(&error, 2, 7), Next::Fallback, "{kind:?}");
        }
    }

    #[test]
    fn what_another_upstream_may_do_goes_there() {
        for kind in [
            ErrorKind::Credentials,
            ErrorKind::NotFound,
            ErrorKind::Exhausted,
            ErrorKind::Refused,
            ErrorKind::Unsupported,
        ] {
            assert_eq!(next(&error(kind, None), 0, 7), Next::Fallback, "{kind:?}");
        }
        assert_eq!(next(&error(ErrorKind::Invalid, Some(400)), 0, 7), Next::GiveUp);
    }

    #[test]
    fn what_may_have_been_charged_is_not_sent_there_again() {
        let mut reset = error(ErrorKind::Unreachable, None);
        reset.spent = Spent::Unknown;
        assert_eq!(next(&reset, 0, 7), Next::Fallback);
        reset.should_retry = Some(true);
        assert_eq!(next(&reset, 0, 7), Next::Fallback);
    }

    #[test]
    fn the_upstream_has_a_say() {
        let mut busy = error(ErrorKind::RateLimited, Some(429));
        busy.should_retry = Some(false);
        assert_eq!(next(&busy, 0, 7), Next::Fallback);
        busy.should_retry = None;
        busy.retry_after = Some(Duration::from_secs(4));
        let waits = |random| match next(&busy, 0, random) {
            Next::Retry { after } => after,
            other => panic!("{other:?}"),
        };
        assert_eq!(waits(0), Duration::from_secs(4));
        assert!((Duration::from_millis(4900)..=Duration::from_secs(5)).contains(&waits(u64::MAX)));
        busy.retry_after = Some(Duration::from_secs(11));
        assert_eq!(next(&busy, 0, 7), Next::Fallback);
    }

    #[test]
    fn pauses_grow_and_are_spread() {
        let failed = error(ErrorKind::Failed, Some(500));
        let pause = |retries, random| match next(&failed, retries, random) {
            Next::Retry { after } => after.as_millis(),
            other => panic!("{other:?}"),
        };
        assert_eq!((pause(0, 0), pause(1, 0)), (100, 200));
        assert!(pause(0, u64::MAX) >= 199 && pause(1, u64::MAX) >= 399);
    }
}
