//! How often something may be tried. A try is counted before it is checked, so that many at once gain nothing, and taken back
//! when it was right.

use std::time::Duration;

use domain::address::source;
use domain::email::Email;
use domain::{OrgId, Time, UserId};
use store::control::throttles::{self, Throttle};
use store::{ControlTx, Origin, Turn};

use crate::{Error, House, Result};

/// A bound on tries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    /// So many may fail within the window; the last of them begins the first wait.
    free: i64,
    /// The window, and the first wait. Each failure after a wait doubles the next one.
    window: Duration,
    /// The longest wait.
    longest: Duration,
}

/// Sign-ins to one account from one source (security facts, section 5).
const ACCOUNT: Bound = Bound { free: 10, window: Duration::from_mins(15), longest: Duration::from_hours(4) };
/// Sign-ins from one source, sign-ups, and requests for mails from it. Many may share a source, so the wait does not grow.
const SOURCE: Bound = Bound { free: 100, window: Duration::from_mins(15), longest: Duration::from_mins(15) };
/// Sign-ins to one account from anywhere: many sources that guess at it together are slowed to a try a minute.
const EVERYWHERE: Bound = Bound { free: 50, window: Duration::from_mins(15), longest: Duration::from_mins(1) };
/// Codes of a second factor, and requests for another mail address.
const CODES: Bound = Bound { free: 5, window: Duration::from_mins(5), longest: Duration::from_hours(1) };
/// Mails of one kind to one address: nobody's mailbox is flooded by a stranger.
const MAILS: Bound = Bound { free: 1, window: Duration::from_mins(1), longest: Duration::from_hours(1) };

/// What one person says about the installation.
const FEEDBACK: Bound = Bound { free: 5, window: Duration::from_hours(1), longest: Duration::from_hours(1) };

/// Invitations of one organisation to one address: whoever invites, revokes and invites again floods nobody's mailbox.
const INVITATIONS: Bound = Bound { free: 5, window: Duration::from_hours(1), longest: Duration::from_hours(24) };

impl Bound {
    /// Counts one more try, or says how long to wait.
    fn count(self, mut throttle: Throttle, now: Time) -> Result<Throttle, Duration> {
        // A row that was made a moment ago is of a later time than `now`, and blocks nobody.
        if throttle.failures >= self.free && throttle.blocked_until > now {
            return Err(throttle.blocked_until.since(now));
        }
        // After a quiet window all is forgotten.
        if now.since(throttle.since.max(throttle.blocked_until)) >= self.window {
            throttle = Throttle { failures: 0, since: now, blocked_until: now };
        }
        throttle.failures += 1;
        if throttle.failures >= self.free {
            let doublings = u32::try_from(throttle.failures - self.free).unwrap_or(u32::MAX).min(16);
            throttle.blocked_until = now + self.window.saturating_mul(1 << doublings).min(self.longest);
        }
        Ok(throttle)
    }

    /// Takes one try back, since it was right.
    fn take_back(self, throttle: Throttle) -> Throttle {
        let failures = throttle.failures.saturating_sub(1).max(0);
        let blocked_until = if failures < self.free { throttle.since } else { throttle.blocked_until };
        Throttle { failures, blocked_until, ..throttle }
    }
}

/// Counts a try about a subject; says how long to wait when there were too many.
async fn charge(tx: &mut ControlTx, subject: &[u8; 32], bound: Bound, now: Time) -> Result<Result<(), Duration>> {
    let before = throttles::lock(tx, subject).await?;
    match bound.count(before, now) {
        Err(wait) => Ok(Err(wait)),
        Ok(throttle) => Ok(Ok(throttles::set(tx, subject, &throttle).await?)),
    }
}

fn throttled(wait: Duration) -> Error {
    Error::Throttled { seconds: wait.as_secs() + u64::from(wait.subsec_nanos() > 0) }
}

fn subject(house: &House, name: &str) -> [u8; 32] {
    house.store.fingerprint("throttle", name.as_bytes())
}

/// From where somebody tries to show a password.
#[derive(Debug, Clone)]
pub(crate) enum Whence {
    /// From anywhere: strangers' failures count against it.
    Anywhere,
    /// From a device in which the person has signed in before, with its name.
    Device(String),
    /// From a session of the person.
    Session,
}

/// A try to show a password, counted and not decided yet.
#[derive(Debug)]
pub(crate) struct Try {
    account: [u8; 32],
    everywhere: Option<[u8; 32]>,
    source: [u8; 32],
}

impl Try {
    /// Counts a try for an account, known or not, from a source. A known device has a count of its own, so that strangers who share
    /// its source, or guess from elsewhere, do not keep its owner out.
    pub(crate) async fn charge(house: &House, email: &Email, whence: &Whence, origin: &Origin) -> Result<Self> {
        let (source, email) = (source(&origin.address), email.normalised());
        let account = match whence {
            Whence::Device(device) => format!("account {email} device {device}"),
            Whence::Anywhere | Whence::Session => format!("account {email} {source}"),
        };
        let anywhere = matches!(whence, Whence::Anywhere);
        let this = Self {
            account: subject(house, &account),
            everywhere: anywhere.then(|| subject(house, &format!("account {email} everywhere"))),
            source: subject(house, &format!("source {source}")),
        };
        let now = house.store.ambient().now();
        let everywhere = this.everywhere.as_ref().map(|subject| (subject, EVERYWHERE));
        let bounds = [Some((&this.account, ACCOUNT)), everywhere, Some((&this.source, SOURCE))].into_iter().flatten();
        // Whoever is blocked learns it by reading: a storm of them must not stand in line with those who write.
        let mut tx = house.store.read_control().await?;
        for (subject, bound) in bounds.clone() {
            if let Some(throttle) = throttles::find(&mut tx, subject).await? {
                bound.count(throttle, now).map_err(throttled)?;
            }
        }
        drop(tx);
        let mut tx = house.store.begin_control(Turn::Free).await?;
        for (subject, bound) in bounds {
            charge(&mut tx, subject, bound, now).await?.map_err(throttled)?;
        }
        tx.commit().await?;
        Ok(this)
    }

    /// Notes that the password was right: earlier failures of the account from this source are forgotten.
    pub(crate) async fn was_right(&self, tx: &mut ControlTx) -> Result<()> {
        throttles::clear(tx, &self.account).await?;
        if let Some(everywhere) = &self.everywhere {
            let counted = throttles::lock(tx, everywhere).await?;
            throttles::set(tx, everywhere, &EVERYWHERE.take_back(counted)).await?;
        }
        let source = throttles::lock(tx, &self.source).await?;
        Ok(throttles::set(tx, &self.source, &SOURCE.take_back(source)).await?)
    }
}

/// Forgets the failed sign-ins to an account from a source: its owner has set a new password.
pub(crate) async fn forgive(tx: &mut ControlTx, house: &House, email: &Email, origin: &Origin) -> Result<()> {
    let email = email.normalised();
    for whence in [source(&origin.address).as_str(), "everywhere"] {
        throttles::clear(tx, &subject(house, &format!("account {email} {whence}"))).await?;
    }
    Ok(())
}

/// Counts a try to show a code of a person's second factor.
pub(crate) async fn charge_code(house: &House, user: UserId) -> Result<()> {
    let now = house.store.ambient().now();
    let mut tx = house.store.begin_control(Turn::Free).await?;
    charge(&mut tx, &subject(house, &format!("code {user}")), CODES, now).await?.map_err(throttled)?;
    Ok(tx.commit().await?)
}

/// Notes that a code was right.
pub(crate) async fn code_was_right(tx: &mut ControlTx, house: &House, user: UserId) -> Result<()> {
    Ok(throttles::clear(tx, &subject(house, &format!("code {user}"))).await?)
}

/// Counts a stranger's request for a mail.
pub(crate) async fn charge_mail_request(tx: &mut ControlTx, house: &House, origin: &Origin) -> Result<()> {
    let name = format!("mail requests {}", source(&origin.address));
    charge(tx, &subject(house, &name), SOURCE, house.store.ambient().now()).await?.map_err(throttled)
}

/// Counts a sign-up that takes no mail. One without an address comes from the installation itself.
pub(crate) async fn charge_sign_up(house: &House, origin: &Origin) -> Result<()> {
    if origin.address.is_empty() {
        return Ok(());
    }
    let now = house.store.ambient().now();
    let name = format!("sign-ups {}", source(&origin.address));
    let mut tx = house.store.begin_control(Turn::Free).await?;
    charge(&mut tx, &subject(house, &name), SOURCE, now).await?.map_err(throttled)?;
    Ok(tx.commit().await?)
}

/// Counts an invitation that goes by mail. Other organisations' invitations to the same address tell nothing here.
pub(crate) async fn charge_invitation(tx: &mut ControlTx, house: &House, org: OrgId, email: &Email) -> Result<()> {
    let name = format!("invitation {org} {}", email.normalised());
    charge(tx, &subject(house, &name), INVITATIONS, house.store.ambient().now()).await?.map_err(throttled)
}

/// Counts a person's request for another mail address.
pub(crate) async fn charge_change(tx: &mut ControlTx, house: &House, user: UserId) -> Result<()> {
    let name = format!("change of address {user}");
    charge(tx, &subject(house, &name), CODES, house.store.ambient().now()).await?.map_err(throttled)
}

/// Counts what a person says about the installation.
pub(crate) async fn charge_feedback(tx: &mut ControlTx, house: &House, user: UserId) -> Result<()> {
    charge(tx, &subject(house, &format!("feedback {user}")), FEEDBACK, house.store.ambient().now())
        .await?
        .map_err(throttled)
}

/// Whether a mail of a kind may go to an address by now; when it may, it is counted.
pub(crate) async fn may_mail(tx: &mut ControlTx, house: &House, kind: &str, email: &Email) -> Result<bool> {
    let name = format!("mail {kind} {}", email.normalised());
    Ok(charge(tx, &subject(house, &name), MAILS, house.store.ambient().now()).await?.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Bound = Bound { free: 3, window: Duration::from_mins(10), longest: Duration::from_mins(30) };

    fn at(minutes: u64) -> Time {
        Time::from_micros(0) + Duration::from_mins(minutes)
    }

    /// Three failures, one minute after the start.
    fn three() -> Throttle {
        let mut throttle = Throttle { failures: 0, since: at(1), blocked_until: at(1) };
        for _ in 0..3 {
            throttle = BOUND.count(throttle, at(1)).expect("free");
        }
        throttle
    }

    #[test]
    fn waits_grow_and_a_quiet_window_forgets() {
        assert_eq!(BOUND.count(three(), at(2)).expect_err("blocked"), Duration::from_mins(9));
        let second = BOUND.count(three(), at(11)).expect("the wait is over");
        assert_eq!(second.blocked_until, at(31));
        let third = BOUND.count(second, at(31)).expect("the wait is over");
        assert_eq!(third.blocked_until, at(61), "no longer than the longest");
        assert_eq!(BOUND.count(third, at(71)).expect("forgotten").failures, 1);
    }

    #[test]
    fn slow_failures_are_forgotten_with_their_window() {
        let first = Throttle { failures: 1, since: at(0), blocked_until: at(0) };
        let second = BOUND.count(first, at(9)).expect("free");
        assert_eq!(second.failures, 2);
        assert_eq!(BOUND.count(second, at(10)).expect("free").failures, 1);
    }

    #[test]
    fn the_first_try_is_free_on_a_clock_that_runs() {
        let made_after = Throttle { failures: 0, since: at(2), blocked_until: at(2) };
        assert_eq!(BOUND.count(made_after, at(1)).expect("free").failures, 1);
    }

    #[test]
    fn a_right_try_is_taken_back() {
        let back = BOUND.take_back(three());
        assert_eq!(BOUND.count(back, at(1)).expect("free again").failures, 3);
    }
}
