//! `GET` and `PATCH /api/v1/orgs/{org_id}/lifetimes`: how long sign-ins count in an organisation.
//!
//! An owner may be stricter than the installation, never looser. The limits are held against each sign-in when it comes to the
//! organisation's door, so they hold at once, for sessions that exist, and say nothing about other organisations of the same person.

use std::time::Duration;

use domain::access::can;
use domain::lifetimes::Lifetimes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::audit::Event;
use store::control::organisations;
use tenancy::login::REMEMBERED;
use tenancy::{House, Rules};

use crate::http::body::{Body, IfMatch, present};
use crate::http::caller::Caller;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Found, Versioned};

/// How long a browser session rests at the most, in the whole installation.
const IDLE: Duration = store::control::sessions::IDLE;

/// One lifetime, in seconds.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Lifetime {
    /// The organisation's own limit; none where the installation's holds.
    seconds: Option<u32>,
    /// The least that can be set.
    min: u32,
    /// The most that can be set: the installation's own limit.
    max: u32,
}

/// How long sign-ins count in an organisation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Lifetimes")]
pub(crate) struct View {
    /// How long an access token counts after it was given out.
    access_token: Lifetime,
    /// For how long a browser may rest; set, it holds for those that stay signed in, too.
    session_idle: Lifetime,
    /// How long a browser counts after a factor was shown in it.
    session_longest: Lifetime,
    /// For how long a family of tokens may rest.
    refresh_idle: Lifetime,
    /// How long a family of tokens counts after a factor was shown in it.
    refresh_longest: Lifetime,
}

/// What to change, in seconds; what is left out stays, and `null` takes a limit away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateLifetimes {
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<u32>")]
    access_token: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<u32>")]
    session_idle: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<u32>")]
    session_longest: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<u32>")]
    refresh_idle: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<u32>")]
    refresh_longest: Option<Option<u32>>,
}

/// Last use is known to the minute, so shorter rests could not be told.
const LEAST_IDLE: u32 = 5 * 60;
const LEAST_LONGEST: u32 = 15 * 60;
const LEAST_TOKEN: u32 = 60;

fn most(limit: Duration) -> u32 {
    u32::try_from(limit.as_secs()).unwrap_or(u32::MAX)
}

impl View {
    fn new(house: &House, own: Lifetimes) -> Self {
        let rules: &Rules = &house.rules;
        let lifetime = |seconds, min: u32, limit| Lifetime { seconds, min: min.min(most(limit)), max: most(limit) };
        Self {
            access_token: lifetime(own.access_token, LEAST_TOKEN, rules.access_lifetime),
            session_idle: lifetime(own.session_idle, LEAST_IDLE, IDLE),
            session_longest: lifetime(own.session_longest, LEAST_LONGEST, REMEMBERED),
            refresh_idle: lifetime(own.refresh_idle, LEAST_IDLE, rules.refresh_idle),
            refresh_longest: lifetime(own.refresh_longest, LEAST_LONGEST, rules.refresh_longest),
        }
    }
}

pub(crate) async fn get(caller: Caller<can::OrgRead>) -> Result<Versioned<Found<View>>> {
    let mut tx = caller.store().read_control().await?;
    let (own, version) = organisations::lifetimes(&mut tx, caller.org()).await?;
    Ok(Versioned(version, Found(View::new(caller.house(), own))))
}

pub(crate) async fn update(
    caller: Caller<can::OrgSecurity>,
    expected: IfMatch,
    Body(body): Body<UpdateLifetimes>,
) -> Result<Versioned<Found<View>>> {
    let mut tx = caller.begin_control().await?;
    let (before, version) = organisations::lifetimes(&mut tx, caller.org()).await?;
    expected.check(version)?;
    let limits = View::new(caller.house(), before);
    let after = Lifetimes {
        access_token: limits.access_token.set("access_token", body.access_token)?,
        session_idle: limits.session_idle.set("session_idle", body.session_idle)?,
        session_longest: limits.session_longest.set("session_longest", body.session_longest)?,
        refresh_idle: limits.refresh_idle.set("refresh_idle", body.refresh_idle)?,
        refresh_longest: limits.refresh_longest.set("refresh_longest", body.refresh_longest)?,
    };
    organisations::set_lifetimes(&mut tx, caller.org(), version, &after).await?;
    let event = Event::new("organisation.lifetimes_set", caller.org()).before(&before).after(&after);
    caller.record(&mut tx, event.detail(json!({ "from": before, "to": after }))).await?;
    caller.commit_control(tx, Versioned(version + 1, Found(View::new(caller.house(), after)))).await
}

impl Lifetime {
    /// The limit after a change.
    fn set(&self, field: &'static str, change: Option<Option<u32>>) -> Result<Option<u32>> {
        match change {
            None => Ok(self.seconds),
            Some(None) => Ok(None),
            Some(Some(seconds)) if (self.min..=self.max).contains(&seconds) => Ok(Some(seconds)),
            Some(Some(_)) => Err(Problem::field(field, format!("must be {} to {} seconds", self.min, self.max))),
        }
    }
}
