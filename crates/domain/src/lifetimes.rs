//! How long sign-ins count in an organisation: stricter than the installation's own limits, never looser.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An organisation's own limits in seconds; where there is none, the installation's holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifetimes {
    /// How long an access token counts after it was given out.
    pub access_token: Option<u32>,
    /// For how long a browser may rest.
    pub session_idle: Option<u32>,
    /// How long a browser counts after a factor was shown in it.
    pub session_longest: Option<u32>,
    /// For how long a family of tokens may rest.
    pub refresh_idle: Option<u32>,
    /// How long a family of tokens counts after a factor was shown in it.
    pub refresh_longest: Option<u32>,
}

/// How old a sign-in is when it comes to an organisation's door.
#[derive(Debug, Clone, Copy)]
pub struct Age {
    /// Whether it lives in a browser's cookie; else it is a family of tokens.
    pub browser: bool,
    /// Since a factor was last shown.
    pub proven: Duration,
    /// The longest time without use since then.
    pub rest: Duration,
    /// Since the access token was given out; none for a cookie.
    pub token: Option<Duration>,
}

/// What is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooOld {
    /// The access token: the next one may do.
    Token,
    /// The session: a factor must be shown again.
    Session,
}

impl Lifetimes {
    /// Says what of a sign-in is too old for the organisation, the session first.
    #[must_use]
    pub fn refuse(&self, age: &Age) -> Option<TooOld> {
        let over = |age: Duration, limit: Option<u32>| limit.is_some_and(|limit| age > seconds(limit));
        let (idle, longest) = if age.browser {
            (self.session_idle, self.session_longest)
        } else {
            (self.refresh_idle, self.refresh_longest)
        };
        if over(age.rest, idle) || over(age.proven, longest) {
            return Some(TooOld::Session);
        }
        age.token.is_some_and(|token| over(token, self.access_token)).then_some(TooOld::Token)
    }

    /// How long an access token for work in the organisation lives, where the installation gives it so long.
    #[must_use]
    pub fn access_token(&self, installation: Duration) -> Duration {
        self.access_token.map_or(installation, |own| seconds(own).min(installation))
    }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(browser: bool) -> Age {
        let token = (!browser).then(|| seconds(300));
        Age { browser, proven: seconds(3600), rest: seconds(600), token }
    }

    #[test]
    fn nothing_is_too_old_where_nothing_is_set() {
        assert_eq!(Lifetimes::default().refuse(&age(true)), None);
        assert_eq!(Lifetimes::default().refuse(&age(false)), None);
    }

    #[test]
    fn browsers_and_tokens_have_limits_of_their_own() {
        let browsers = Lifetimes { session_idle: Some(599), ..Lifetimes::default() };
        assert_eq!((browsers.refuse(&age(true)), browsers.refuse(&age(false))), (Some(TooOld::Session), None));
        let tokens = Lifetimes { refresh_longest: Some(3599), ..Lifetimes::default() };
        assert_eq!((tokens.refuse(&age(true)), tokens.refuse(&age(false))), (None, Some(TooOld::Session)));
        let exact = Lifetimes { session_idle: Some(600), session_longest: Some(3600), ..Lifetimes::default() };
        assert_eq!(exact.refuse(&age(true)), None);
    }

    #[test]
    fn an_old_token_of_a_good_session_may_be_exchanged() {
        let limits = Lifetimes { access_token: Some(299), ..Lifetimes::default() };
        assert_eq!((limits.refuse(&age(false)), limits.refuse(&age(true))), (Some(TooOld::Token), None));
        assert_eq!(limits.access_token(seconds(600)), seconds(299));
        assert_eq!(limits.access_token(seconds(60)), seconds(60));
    }
}
