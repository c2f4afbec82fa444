//! Plans: what an organisation may have and use, the exceptions from its plan, and what follows from both.
//!
//! The plans that come with Rowhouse stand in `data/plans.toml`, which explains each number; an operator's file goes on
//! top. Nothing here counts: this says where the limit is, others say how much is used.
//!
//! `names.rs` says what can be limited and unlocked, `file.rs` reads the files, `entitlements.rs` applies the exceptions.

mod entitlements;
mod file;
mod names;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::entitlements::{Entitlements, Exception, Grant, Limit, NotEntitled, Override, Source};
pub use self::file::{InvalidPlans, Mistake};
pub use self::names::{Each, Feature, InvalidFeature, InvalidMeter, Meter, Named};

/// The largest limit, 2^53 - 1: the largest whole number that every JSON reader keeps exact (RFC 8259 section 6).
pub const MAX_LIMIT: u64 = (1 << 53) - 1;

/// What a plan is called in the API and in the database: 1 to 40 small ASCII letters, digits, `_` and `-`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct PlanName(String);

/// Text that cannot be a plan's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 40 of the characters a-z, 0-9, `_` and `-`")]
pub struct InvalidPlanName;

impl PlanName {
    /// Checks the name and takes it.
    /// # Errors
    /// [`InvalidPlanName`] when it is too long, empty or holds another character.
    pub fn new(text: &str) -> Result<Self, InvalidPlanName> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        let good = (1..=40).contains(&text.len()) && text.bytes().all(allowed);
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidPlanName) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PlanName {
    type Err = InvalidPlanName;
    fn from_str(text: &str) -> Result<Self, InvalidPlanName> {
        Self::new(text)
    }
}

impl Serialize for PlanName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PlanName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PlanName {
    fn schema_name() -> Cow<'static, str> {
        "PlanName".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[a-z0-9_-]{1,40}$",
            "description": "What a plan is called.",
            "examples": ["free"],
        })
    }
}

/// One plan, as a file describes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Plan {
    /// What it is called in the API and in the database.
    pub name: PlanName,
    /// What people read; 1 to 60 characters.
    pub title: String,
    /// One or two sentences for people; 1 to 400 characters.
    pub description: String,
    /// The most of each thing, in the meter's unit; at most [`MAX_LIMIT`].
    pub limits: Each<Meter, u64>,
    /// What it unlocks.
    pub features: BTreeSet<Feature>,
}

/// The plans that there are, and the one for new organisations, which is always among them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plans {
    plans: Vec<Plan>,
    /// Where the default one stands among them.
    default: usize,
}

impl Plans {
    /// The plans that come with Rowhouse: free, pro and enterprise.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the file is part of the program, and a test reads it")]
    pub fn builtin() -> Self {
        Self::parse(include_str!("../../data/plans.toml")).expect("the file that comes with Rowhouse is right")
    }

    /// Reads a file that stands alone: all plans and the name of the default one.
    /// # Errors
    /// [`InvalidPlans`] lists all mistakes, each with its plan and field.
    pub fn parse(text: &str) -> Result<Self, InvalidPlans> {
        Self::read(text, None, Vec::new())
    }

    /// Reads an operator's file on top of these plans: a plan of the same name is replaced as a whole and keeps its
    /// place, others come behind; the default changes if the file names one.
    /// # Errors
    /// [`InvalidPlans`] lists all mistakes, each with its plan and field.
    pub fn merge(self, text: &str) -> Result<Self, InvalidPlans> {
        Self::read(text, Some(self.default_plan().name.clone()), self.plans)
    }

    /// The plan of that name, unless the operator has taken it away.
    #[must_use]
    pub fn get(&self, name: &PlanName) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.name == *name)
    }

    /// The plan of a new organisation.
    #[must_use]
    pub fn default_plan(&self) -> &Plan {
        &self.plans[self.default]
    }

    /// All plans, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.plans.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PlanName {
        PlanName::new(text).expect("a good name")
    }

    fn builtin(text: &str) -> Plan {
        Plans::builtin().get(&name(text)).expect("a builtin plan").clone()
    }

    #[test]
    fn the_builtin_plans_have_the_products_numbers() {
        let plans = Plans::builtin();
        let names: Vec<_> = plans.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!(names, ["free", "pro", "enterprise"]);
        assert_eq!(plans.default_plan().name, name("free"));
        for (plan, requests, tokens) in
            [("free", 100, 100_000), ("pro", 1_000, 1_000_000), ("enterprise", 10_000, 10_000_000)]
        {
            let limits = builtin(plan).limits;
            assert_eq!((*limits.get(Meter::Requests), *limits.get(Meter::Tokens)), (requests, tokens), "{plan}");
        }
        assert!(builtin("free").features.is_empty());
        assert_eq!(builtin("enterprise").features.len(), Feature::ALL.len());
    }

    #[test]
    fn the_builtin_file_explains_each_field() {
        let file = include_str!("../../data/plans.toml");
        let comments = file.lines().filter(|line| line.starts_with('#')).collect::<Vec<_>>().join("\n");
        let meters = Meter::ALL.iter().map(|meter| meter.as_str());
        let features = Feature::ALL.iter().map(|feature| feature.as_str());
        for field in meters.chain(features).chain(["name", "title", "description", "features", "limits", "default"]) {
            assert!(comments.contains(field), "{field}");
        }
    }

    #[test]
    fn no_larger_builtin_plan_gives_less() {
        let plans: Vec<_> = Plans::builtin().iter().cloned().collect();
        for pair in plans.windows(2) {
            assert!(pair[0].features.is_subset(&pair[1].features));
            assert!(Meter::ALL.iter().all(|&meter| pair[0].limits.get(meter) <= pair[1].limits.get(meter)));
        }
    }

    #[test]
    fn plan_names_are_short_and_plain() {
        assert!(PlanName::new("team-2026_b").is_ok());
        assert!(PlanName::new(&"x".repeat(40)).is_ok());
        for wrong in ["", "Team", "te am", "té", &"x".repeat(41)] {
            assert_eq!(PlanName::new(wrong), Err(InvalidPlanName), "{wrong}");
        }
    }
}
