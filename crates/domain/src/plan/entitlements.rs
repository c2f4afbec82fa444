//! What an organisation may have and use: its plan, and the exceptions from it that hold now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Each, Feature, MAX_LIMIT, Meter, Plan, PlanName};
use crate::Time;

/// What an exception changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Exception {
    /// Another limit, higher or lower than the plan's.
    Limit {
        /// What is limited.
        meter: Meter,
        /// The most of it, in the meter's unit; at most 2^53 - 1.
        #[serde(deserialize_with = "limit")]
        #[schemars(range(max = 9_007_199_254_740_991_u64))]
        limit: u64,
    },
    /// A feature given or taken away.
    Feature {
        /// Which.
        feature: Feature,
        /// Whether the organisation has it.
        granted: bool,
    },
}

fn limit<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let limit = u64::deserialize(deserializer)?;
    let too_large = || serde::de::Error::custom(format_args!("must be at most {MAX_LIMIT}"));
    if limit <= MAX_LIMIT { Ok(limit) } else { Err(too_large()) }
}

/// An exception from one organisation's plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// What it changes.
    pub exception: Exception,
    /// When it ends: it holds before this time and not at it. `None`: until it is taken back.
    pub until: Option<Time>,
    /// When it was made. Of several that change the same thing and hold now, the one made last wins.
    pub created_at: Time,
}

impl Override {
    /// Whether it holds at that time.
    #[must_use]
    pub fn holds_at(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Where an entitlement comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The organisation's plan.
    Plan,
    /// An exception from it.
    Override,
}

/// How much of something an organisation may have or use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Limit {
    /// The most of it, in the meter's unit.
    pub value: u64,
    /// Where it comes from.
    pub source: Source,
    /// When it ends, if it comes from an exception with an end.
    pub until: Option<Time>,
}

/// Whether an organisation has a feature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Grant {
    /// Whether it has.
    pub granted: bool,
    /// Where that comes from.
    pub source: Source,
    /// When it ends, if it comes from an exception with an end.
    pub until: Option<Time>,
}

/// A refusal that names what the plan lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the plan `{plan}` does not include `{feature}`")]
pub struct NotEntitled {
    /// The feature that is missing.
    pub feature: Feature,
    /// The organisation's plan.
    pub plan: PlanName,
}

/// What an organisation may have and use at one moment: its plan with its exceptions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Entitlements {
    plan: PlanName,
    limits: Each<Meter, Limit>,
    features: Each<Feature, Grant>,
}

impl Entitlements {
    /// Works them out for the time `now`. Exceptions that have ended change nothing. Of those that hold, the one made
    /// last wins for each thing that they change, be it the more generous or not: an operator's latest word counts, and
    /// when it ends, an earlier one that still holds counts again. Made at the same time, the one later in the list
    /// wins.
    #[must_use]
    pub fn of(plan: &Plan, overrides: &[Override], now: Time) -> Self {
        let holding = || overrides.iter().filter(|one| one.holds_at(now));
        // `max_by_key` gives the last of equals.
        let limits = Each::of(|meter| {
            let exceptions = holding().filter_map(|one| match one.exception {
                Exception::Limit { meter: of, limit } if of == meter => Some((one, limit)),
                _ => None,
            });
            match exceptions.max_by_key(|(one, _)| one.created_at) {
                Some((one, value)) => Limit { value, source: Source::Override, until: one.until },
                None => Limit { value: *plan.limits.get(meter), source: Source::Plan, until: None },
            }
        });
        let features = Each::of(|feature| {
            let exceptions = holding().filter_map(|one| match one.exception {
                Exception::Feature { feature: of, granted } if of == feature => Some((one, granted)),
                _ => None,
            });
            match exceptions.max_by_key(|(one, _)| one.created_at) {
                Some((one, granted)) => Grant { granted, source: Source::Override, until: one.until },
                None => Grant { granted: plan.features.contains(&feature), source: Source::Plan, until: None },
            }
        });
        Self { plan: plan.name.clone(), limits, features }
    }

    /// The plan's name.
    #[must_use]
    pub fn plan(&self) -> &PlanName {
        &self.plan
    }

    /// How much there may be.
    #[must_use]
    pub fn limit(&self, meter: Meter) -> Limit {
        *self.limits.get(meter)
    }

    /// Whether the organisation has the feature.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.features.get(feature).granted
    }

    /// Lets pass who has the feature.
    /// # Errors
    /// [`NotEntitled`] names the feature and the plan that lacks it.
    pub fn require(&self, feature: Feature) -> Result<(), NotEntitled> {
        if self.has(feature) { Ok(()) } else { Err(NotEntitled { feature, plan: self.plan.clone() }) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Plans;
    use super::*;

    fn builtin(text: &str) -> Plan {
        Plans::builtin().get(&PlanName::new(text).expect("a good name")).expect("a builtin plan").clone()
    }

    fn at(second: u64) -> Time {
        Time::default() + Duration::from_secs(second)
    }

    fn seats(limit: u64, created: u64, until: Option<u64>) -> Override {
        Override {
            exception: Exception::Limit { meter: Meter::Seats, limit },
            until: until.map(at),
            created_at: at(created),
        }
    }

    #[test]
    fn without_exceptions_the_plan_counts() {
        let entitlements = Entitlements::of(&builtin("pro"), &[], at(0));
        assert_eq!(entitlements.limit(Meter::Seats), Limit { value: 25, source: Source::Plan, until: None });
        assert!(entitlements.has(Feature::CustomRoles));
        assert_eq!(entitlements.require(Feature::CustomRoles), Ok(()));
        let refusal = entitlements.require(Feature::AuditExport).expect_err("not in the plan");
        assert_eq!(refusal.to_string(), "the plan `pro` does not include `audit_export`");
    }

    #[test]
    fn an_exception_holds_before_its_end_and_not_at_it() {
        let seats_at = |now| Entitlements::of(&builtin("free"), &[seats(10, 0, Some(100))], now).limit(Meter::Seats);
        assert_eq!(seats_at(at(99)), Limit { value: 10, source: Source::Override, until: Some(at(100)) });
        assert_eq!(seats_at(at(100)), Limit { value: 3, source: Source::Plan, until: None });
    }

    #[test]
    fn the_exception_made_last_wins_while_it_holds() {
        let overrides = [seats(5, 2, Some(50)), seats(40, 1, None), seats(99, 3, Some(10))];
        let seats_at = |now| Entitlements::of(&builtin("free"), &overrides, now).limit(Meter::Seats).value;
        assert_eq!(seats_at(at(5)), 99);
        assert_eq!(seats_at(at(20)), 5, "the one made later wins, though it gives less");
        assert_eq!(seats_at(at(60)), 40, "the earlier one counts again");
        let same = [seats(5, 1, None), seats(6, 1, None)];
        assert_eq!(Entitlements::of(&builtin("free"), &same, at(0)).limit(Meter::Seats).value, 6);
    }

    #[test]
    fn features_can_be_given_and_taken() {
        let feature = |feature, granted| Override {
            exception: Exception::Feature { feature, granted },
            until: None,
            created_at: at(0),
        };
        let overrides = [feature(Feature::AuditExport, true), feature(Feature::CustomRoles, false)];
        let entitlements = Entitlements::of(&builtin("pro"), &overrides, at(1));
        assert!(entitlements.has(Feature::AuditExport));
        assert!(!entitlements.has(Feature::CustomRoles));
        assert!(entitlements.has(Feature::MemberActivity));
        assert_eq!(entitlements.limit(Meter::Seats).value, 25);
    }

    #[test]
    fn json_shows_each_limit_with_its_source() {
        let entitlements = Entitlements::of(&builtin("free"), &[seats(10, 0, Some(100))], at(1));
        let json = serde_json::to_value(&entitlements).expect("entitlements serialise");
        let shown = serde_json::json!({ "value": 10, "source": "override", "until": "1970-01-01T00:01:40.000000Z" });
        assert_eq!(json["plan"], "free");
        assert_eq!(json["limits"]["seats"], shown);
        assert_eq!(
            json["features"]["custom_roles"],
            serde_json::json!({ "granted": false, "source": "plan", "until": null })
        );
        let schema = serde_json::to_value(schemars::schema_for!(Entitlements)).expect("schemas serialise");
        let limits = &schema["$defs"]["Each_Meter_Limit"];
        assert_eq!(limits["required"].as_array().map(Vec::len), Some(Meter::ALL.len()), "{schema}");
        assert_eq!(limits["properties"]["storage"]["description"], "Bytes of all files and rows together.");
    }

    #[test]
    fn exceptions_read_back_and_are_bounded() {
        let one = seats(10, 0, None);
        let json = serde_json::to_string(&one).expect("overrides serialise");
        assert_eq!(serde_json::from_str::<Override>(&json).expect("overrides parse"), one);
        let text = |limit: u64| format!(r#"{{"kind":"limit","meter":"seats","limit":{limit}}}"#);
        assert!(serde_json::from_str::<Exception>(&text(MAX_LIMIT)).is_ok());
        assert!(serde_json::from_str::<Exception>(&text(MAX_LIMIT + 1)).is_err());
        assert!(serde_json::from_str::<Exception>(r#"{"kind":"limit","meter":"seats","limit":1,"x":2}"#).is_err());
    }
}
