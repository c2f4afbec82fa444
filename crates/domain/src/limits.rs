//! What is counted and limited: amounts of it, the periods in which it counts, the levels at which a limit may stand.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Meter;
use crate::time_zone::TimeZoneName;
use crate::{Id, LimitId, Time};

/// What a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Money, in millionths of the limit's currency.
    Cost,
    /// Calls of a model.
    Requests,
    /// Tokens read and written by models, together.
    Tokens,
    /// Documents in all knowledge collections.
    Documents,
    /// Bytes of files and rows.
    Storage,
    /// People in outreach lists.
    Prospects,
    /// Mails to people outside the organisation.
    Mails,
}

/// Text that names nothing that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of cost, requests, tokens, documents, storage, prospects, mails")]
pub struct InvalidCounted;

impl Counted {
    /// All of them, in the order in which [`Amounts`] keeps them.
    pub const ALL: [Self; 7] =
        [Self::Cost, Self::Requests, Self::Tokens, Self::Documents, Self::Storage, Self::Prospects, Self::Mails];

    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Documents => "documents",
            Self::Storage => "storage",
            Self::Prospects => "prospects",
            Self::Mails => "mails",
        }
    }

    /// The meter of a plan that limits it: none for money. Seats and concurrency are counted elsewhere: the first are rows of the
    /// directory, the second are slots that come back.
    #[must_use]
    pub const fn of_meter(meter: Meter) -> Option<Self> {
        match meter {
            Meter::Requests => Some(Self::Requests),
            Meter::Tokens => Some(Self::Tokens),
            Meter::Documents => Some(Self::Documents),
            Meter::Storage => Some(Self::Storage),
            Meter::Prospects => Some(Self::Prospects),
            Meter::Mails => Some(Self::Mails),
            _ => None,
        }
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Counted {
    type Err = InvalidCounted;
    fn from_str(text: &str) -> Result<Self, InvalidCounted> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or(InvalidCounted)
    }
}

/// How much of each: money in millionths of a US dollar, the others in pieces or bytes. A removal is an amount below zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Amounts([i64; Counted::ALL.len()]);

impl Amounts {
    /// Nothing.
    pub const NONE: Self = Self([0; Counted::ALL.len()]);

    /// So much of one thing.
    #[must_use]
    pub fn of(counted: Counted, amount: i64) -> Self {
        Self::NONE.with(counted, amount)
    }

    /// The same, with so much of one thing.
    #[must_use]
    pub fn with(mut self, counted: Counted, amount: i64) -> Self {
        self.0[counted as usize] = amount;
        self
    }

    /// How much of one thing.
    #[must_use]
    pub const fn get(&self, counted: Counted) -> i64 {
        self.0[counted as usize]
    }
}

/// For how long a limit counts before it begins anew, in the organisation's time zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// A calendar day.
    Day,
    /// A week from Monday (ISO 8601).
    Week,
    /// A calendar month.
    Month,
    /// For ever.
    Total,
}

/// Text that names no period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be day, week, month or total")]
pub struct InvalidPeriod;

/// One day, week or month: from its first moment to the first moment after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Span {
    /// The first moment.
    pub from: Time,
    /// The first moment after it; none when it never ends.
    pub until: Option<Time>,
}

impl Span {
    /// Whether a time lies in it.
    #[must_use]
    pub fn holds(&self, at: Time) -> bool {
        at >= self.from && self.until.is_none_or(|until| at < until)
    }
}

impl Period {
    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// The day, week or month around a time, as the clocks of a time zone show it: a day may have 23 or 25 hours.
    #[must_use]
    pub fn around(self, at: Time, zone: &TimeZoneName) -> Span {
        let clocks = TimeZone::get(zone.as_str()).unwrap_or(TimeZone::UTC);
        self.of(at.civil_date(&clocks), zone)
    }

    /// The day, week or month that a date lies in.
    #[must_use]
    pub fn of(self, today: Date, zone: &TimeZoneName) -> Span {
        let zone = TimeZone::get(zone.as_str()).unwrap_or(TimeZone::UTC);
        let (first, next) = match self {
            Self::Total => return Span { from: Time::from_micros(0), until: None },
            Self::Day => (Some(today), today.tomorrow().ok()),
            Self::Week => {
                let back = i64::from(today.weekday().since(Weekday::Monday));
                let monday = today.checked_sub(jiff::Span::new().days(back)).ok();
                (monday, monday.and_then(|day| day.checked_add(jiff::Span::new().days(7)).ok()))
            }
            Self::Month => {
                let first = today.first_of_month();
                (Some(first), first.checked_add(jiff::Span::new().months(1)).ok())
            }
        };
        let midnight =
            |day: Date| day.to_zoned(zone.clone()).ok().map(|day| Time::from_micros(day.timestamp().as_microsecond()));
        Span { from: first.and_then(midnight).unwrap_or_default(), until: next.and_then(midnight) }
    }
}

/// Text that names no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a month such as 2026-11")]
pub struct InvalidMonth;

/// The month that a text such as `2026-11` names, as the clocks of a time zone show it.
/// # Errors
/// [`InvalidMonth`] when it names none.
pub fn month(text: &str, zone: &TimeZoneName) -> Result<Span, InvalidMonth> {
    let is_plain = text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let first: Date = format!("{text}-01").parse().ok().filter(|_| is_plain).ok_or(InvalidMonth)?;
    Ok(Period::Month.of(first, zone))
}

impl FromStr for Period {
    type Err = InvalidPeriod;
    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        [Self::Day, Self::Week, Self::Month, Self::Total]
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or(InvalidPeriod)
    }
}

/// Where a limit stands on the path of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The whole organisation.
    Organization,
    /// A team with all teams below it.
    Team,
    /// A project.
    Project,
    /// An agent.
    Agent,
    /// One run of an agent or a workflow.
    Run,
    /// A person, through whatever session or key.
    User,
    /// An API key.
    Key,
}

/// Text that names no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be organization, team, project, agent, run, user or key")]
pub struct InvalidLevel;

impl Level {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Organization, Self::Team, Self::Project, Self::Agent, Self::Run, Self::User, Self::Key];

    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Team => "team",
            Self::Project => "project",
            Self::Agent => "agent",
            Self::Run => "run",
            Self::User => "user",
            Self::Key => "key",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = InvalidLevel;
    fn from_str(text: &str) -> Result<Self, InvalidLevel> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or(InvalidLevel)
    }
}

/// What names a balance: a limit and what it counts. A budget's limit has the budget's id, a plan's the organisation's, a key's own
/// limits the key's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct LimitKey {
    /// Whose limit.
    pub id: LimitId,
    /// What it counts.
    pub counted: Counted,
}

impl LimitKey {
    /// The limit that stands on a thing itself.
    #[must_use]
    pub fn on(thing: impl Id, counted: Counted) -> Self {
        Self { id: LimitId::from_uuid(thing.uuid()), counted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::from_micros(text.parse::<jiff::Timestamp>().expect("a time").as_microsecond())
    }

    fn span(period: Period, time: &str, zone: &str) -> (String, String) {
        let span = period.around(at(time), &TimeZoneName::new(zone).expect("a zone"));
        (span.from.to_string(), span.until.expect("it ends").to_string())
    }

    #[test]
    fn months_and_days_begin_where_the_organisation_is() {
        let pair = |from: &str, until: &str| (from.to_owned(), until.to_owned());
        assert_eq!(
            span(Period::Month, "2026-10-31T23:30:00Z", "Europe/Berlin"),
            pair("2026-10-31T23:00:00.000000Z", "2026-11-30T23:00:00.000000Z")
        );
        assert_eq!(
            span(Period::Month, "2026-10-31T23:30:00Z", "UTC"),
            pair("2026-10-01T00:00:00.000000Z", "2026-11-01T00:00:00.000000Z")
        );
        // The day on which Berlin's clocks go back has 25 hours.
        assert_eq!(
            span(Period::Day, "2026-10-25T12:00:00Z", "Europe/Berlin"),
            pair("2026-10-24T22:00:00.000000Z", "2026-10-25T23:00:00.000000Z")
        );
        assert_eq!(
            span(Period::Week, "2026-11-22T12:00:00Z", "UTC"),
            pair("2026-11-16T00:00:00.000000Z", "2026-11-23T00:00:00.000000Z")
        );
        let total = Period::Total.around(at("2026-11-22T12:00:00Z"), &TimeZoneName::utc());
        assert!(total.until.is_none() && total.holds(at("2000-01-01T00:00:00Z")));
    }

    #[test]
    fn a_month_is_named_by_year_and_month() {
        let berlin = TimeZoneName::new("Europe/Berlin").expect("a zone");
        let span = month("2026-11", &berlin).expect("a month");
        assert_eq!(span, Period::Month.around(at("2026-11-22T12:00:00Z"), &berlin));
        for wrong in ["", "2026", "2026-13", "2026-1", "2026-11-01", "26-11-01", "-026-11", "2026/11"] {
            assert_eq!(month(wrong, &berlin), Err(InvalidMonth), "{wrong}");
        }
    }

    #[test]
    fn a_span_holds_its_first_moment_and_not_the_one_after() {
        let span = Period::Day.around(at("2026-11-22T12:00:00Z"), &TimeZoneName::utc());
        assert!(span.holds(span.from) && !span.holds(span.until.expect("it ends")));
    }

    #[test]
    fn every_counted_thing_has_a_place_of_its_own() {
        let amounts = Counted::ALL.into_iter().zip(1..).fold(Amounts::NONE, |all, (one, n)| all.with(one, n));
        assert_eq!(Counted::ALL.map(|one| amounts.get(one)), [1, 2, 3, 4, 5, 6, 7]);
        assert!(Counted::ALL.into_iter().all(|one| one.as_str().parse() == Ok(one)));
    }
}
