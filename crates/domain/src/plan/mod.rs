//! Plans: what an organisation may have and use, the exceptions from its plan, and what follows from both.
//!
//! The plans that come with Rowhouse stand in `data/plans.toml`, which explains each number; an operator's file goes on
//! top. Nothing here counts: this says where the limit is, others say how much is used.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::Time;

/// The largest limit, 2^53 - 1: the largest whole number that every JSON reader keeps exact (RFC 8259 section 6).
pub const MAX_LIMIT: u64 = (1 << 53) - 1;

fn one_of<K: Named>() -> String {
    K::ALL.iter().map(|one| format!("`{}`", one.as_str())).collect::<Vec<_>>().join(", ")
}

/// A closed list of names, each of which can be a key of [`Each`].
pub trait Named: Copy + 'static {
    /// All of them, in their order.
    const ALL: &'static [Self];
    /// The name in files, in the API and in the database.
    fn as_str(self) -> &'static str;
    /// Where it stands in [`ALL`](Self::ALL).
    fn index(self) -> usize;
    /// What it is, in words for people.
    fn description(self) -> &'static str;
}

macro_rules! names {
    ($(#[$meta:meta])* $name:ident, $invalid:ident, $what:literal: $($variant:ident = $text:literal: $doc:literal;)+) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $(#[doc = $doc] $variant,)+
        }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in files, in the API and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// What it is and its unit, in words for people.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }
        }

        impl Named for $name {
            const ALL: &'static [Self] = Self::ALL;
            fn as_str(self) -> &'static str {
                self.as_str()
            }
            fn index(self) -> usize {
                self as usize
            }
            fn description(self) -> &'static str {
                self.description()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[doc = concat!("Text that names no ", $what, ".")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error("must be one of {}", one_of::<$name>())]
        pub struct $invalid;

        impl FromStr for $name {
            type Err = $invalid;
            fn from_str(text: &str) -> Result<Self, $invalid> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or($invalid)
            }
        }
    };
}

names! {
    /// What is limited by a plan. A month is a calendar month in UTC.
    Meter, InvalidMeter, "meter":
    Requests = "requests": "Calls of a model in a month.";
    Tokens = "tokens": "Tokens read and written by models in a month, together.";
    Seats = "seats": "People in the organisation, pending invitations included.";
    Storage = "storage": "Bytes of all files and rows together.";
    Documents = "documents": "Documents in all knowledge collections together.";
    Prospects = "prospects": "People in all outreach lists together.";
    Mails = "mails": "Mails sent to people outside the organisation in a month.";
    Concurrency = "concurrency": "Calls, jobs and agent runs at the same time.";
}

impl Meter {
    /// Whether use is counted from zero each month; the others count what is there now.
    #[must_use]
    pub const fn is_monthly(self) -> bool {
        matches!(self, Self::Requests | Self::Tokens | Self::Mails)
    }

    /// The smallest limit with which an organisation can exist: it has an owner, and must be able to do one thing at a
    /// time.
    const fn smallest(self) -> u64 {
        matches!(self, Self::Seats | Self::Concurrency) as u64
    }
}

names! {
    /// What a plan unlocks.
    Feature, InvalidFeature, "feature":
    CustomRoles = "custom_roles": "Make roles of one's own beside owner, admin, member and viewer.";
    AuditExport = "audit_export": "Take the audit log out as a file.";
    MemberActivity = "member_activity": "See when each member was last active and what they cost.";
}

/// One value for each name of a closed list, so that a look-up cannot fail. In JSON an object with all names as keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Each<K, V> {
    /// In the order of `K::ALL`.
    values: Vec<V>,
    keys: PhantomData<K>,
}

impl<K: Named, V> Each<K, V> {
    /// Asks for the value of each name, in their order.
    pub fn of(value: impl FnMut(K) -> V) -> Self {
        Self { values: K::ALL.iter().copied().map(value).collect(), keys: PhantomData }
    }

    /// The value of the name.
    #[must_use]
    pub fn get(&self, key: K) -> &V {
        &self.values[key.index()]
    }

    /// All names with their values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        K::ALL.iter().copied().zip(&self.values)
    }
}

impl<K: Named, V: Serialize> Serialize for Each<K, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, value)| (key.as_str(), value)))
    }
}

impl<K: Named + JsonSchema, V: JsonSchema> JsonSchema for Each<K, V> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Each_{}_{}", K::schema_name(), V::schema_name()).into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut properties = serde_json::Map::new();
        for key in K::ALL {
            let value = generator.subschema_for::<V>();
            // Beside, not in, the value's schema: that one may be a mere reference, shared by all names.
            let property = serde_json::json!({ "allOf": [value], "description": key.description() });
            properties.insert(key.as_str().to_owned(), property);
        }
        let required: Vec<_> = K::ALL.iter().map(|key| key.as_str()).collect();
        schemars::json_schema!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }
}

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
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PlanName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
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

/// One mistake in a file of plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The plan that holds it, if it is in one and the plan can be named.
    pub plan: Option<String>,
    /// The field, such as `limits.seats`; empty when it is the file as a whole.
    pub field: String,
    /// What the field must be.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(plan) = &self.plan {
            write!(f, "plan `{plan}`, ")?;
        }
        if !self.field.is_empty() {
            write!(f, "field `{}` ", self.field)?;
        }
        f.write_str(&self.problem)
    }
}

/// A file that does not describe plans: all its mistakes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct InvalidPlans(pub Vec<Mistake>);

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
        Self::parse(include_str!("../data/plans.toml")).expect("the file that comes with Rowhouse is right")
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

    fn read(text: &str, default: Option<PlanName>, mut plans: Vec<Plan>) -> Result<Self, InvalidPlans> {
        let mut file: Table = toml::from_str(text).map_err(|error| InvalidPlans(vec![not_toml(text, &error)]))?;
        let mut reader = Reader::default();
        let named = file.remove("default").and_then(|value| reader.parsed("default", &value));
        let mut seen = BTreeSet::new();
        for (index, value) in reader.tables(file.remove("plan")).into_iter().enumerate() {
            if let Some(plan) = reader.plan(index, value) {
                if !seen.insert(plan.name.clone()) {
                    reader.mistake("name", "must not stand twice in a file");
                }
                match plans.iter_mut().find(|old| old.name == plan.name) {
                    Some(old) => *old = plan,
                    None => plans.push(plan),
                }
            }
        }
        reader.plan = None;
        reader.unknown(&file, "");
        // Only when all else is right: a plan that could not be read would be missed here once more.
        if reader.mistakes.is_empty() {
            match named.or(default) {
                None => reader.mistake("default", "is missing: it names the plan of new organisations"),
                Some(name) => match plans.iter().position(|plan| plan.name == name) {
                    None => reader.mistake("default", &format!("must name one of the plans; `{name}` is none")),
                    Some(default) => return Ok(Self { plans, default }),
                },
            }
        }
        Err(InvalidPlans(reader.mistakes))
    }
}

/// Says what is wrong with the text as TOML, and in which line: the crate's own text spans several lines, too many for
/// a log.
fn not_toml(text: &str, error: &toml::de::Error) -> Mistake {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Mistake { plan: None, field: String::new(), problem: format!("line {line} must be TOML: {}", error.message()) }
}

/// Walks through a file by hand instead of by serde, to find all mistakes at once and to name the plan and the field of
/// each.
#[derive(Default)]
struct Reader {
    /// The plan that is being read.
    plan: Option<String>,
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn mistake(&mut self, field: &str, problem: &str) {
        self.mistakes.push(Mistake { plan: self.plan.clone(), field: field.to_owned(), problem: problem.to_owned() });
    }

    /// Complains about all that is left in a table whose known fields were taken out.
    fn unknown(&mut self, table: &Table, within: &str) {
        for field in table.keys() {
            self.mistake(&format!("{within}{field}"), "is not known");
        }
    }

    fn tables(&mut self, value: Option<Value>) -> Vec<Value> {
        match value {
            None => Vec::new(),
            Some(Value::Array(tables)) => tables,
            Some(_) => {
                self.mistake("plan", "must be a list of plans: write [[plan]] with two brackets");
                Vec::new()
            }
        }
    }

    /// Reads one plan; `None` when any of its fields has a mistake.
    fn plan(&mut self, index: usize, value: Value) -> Option<Plan> {
        // Until its name is known a plan is called by its place in the file.
        self.plan = Some(format!("number {}", index + 1));
        let Value::Table(mut table) = value else {
            self.mistake("plan", "must be a table: write [[plan]]");
            return None;
        };
        let name: Option<PlanName> = self.field(&mut table, "name", Self::parsed);
        self.plan = name.as_ref().map(ToString::to_string).or(self.plan.take());
        let title = self.field(&mut table, "title", |reader, field, value| reader.words(field, value, 60));
        let description = self.field(&mut table, "description", |reader, field, value| reader.words(field, value, 400));
        let features = self.field(&mut table, "features", Self::features);
        let limits = self.field(&mut table, "limits", Self::limits);
        self.unknown(&table, "");
        Some(Plan { name: name?, title: title?, description: description?, limits: limits?, features: features? })
    }

    fn field<T>(
        &mut self,
        table: &mut Table,
        field: &str,
        read: impl Fn(&mut Self, &str, &Value) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = table.remove(field) else {
            self.mistake(field, "is missing");
            return None;
        };
        read(self, field, &value)
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, field: &str, value: &Value) -> Option<T> {
        let Some(text) = value.as_str() else {
            self.mistake(field, "must be text in quotes");
            return None;
        };
        text.parse().map_err(|error: T::Err| self.mistake(field, &error.to_string())).ok()
    }

    fn words(&mut self, field: &str, value: &Value, max: usize) -> Option<String> {
        let text = value.as_str().map(str::trim).filter(|text| (1..=max).contains(&text.chars().count()));
        if text.is_none() {
            self.mistake(field, &format!("must be text of 1 to {max} characters in quotes"));
        }
        text.map(str::to_owned)
    }

    fn features(&mut self, field: &str, value: &Value) -> Option<BTreeSet<Feature>> {
        let Some(list) = value.as_array() else {
            self.mistake(field, "must be a list such as [\"custom_roles\"], perhaps empty");
            return None;
        };
        let read: Vec<_> = list.iter().map(|value| self.parsed(field, value)).collect();
        read.into_iter().collect()
    }

    fn limits(&mut self, field: &str, value: &Value) -> Option<Each<Meter, u64>> {
        let Some(mut table) = value.as_table().cloned() else {
            self.mistake(field, "must be a table: write [plan.limits]");
            return None;
        };
        let read = Each::of(|meter: Meter| {
            self.limit(&format!("{field}.{meter}"), meter, table.remove(meter.as_str()).as_ref())
        });
        self.unknown(&table, &format!("{field}."));
        let whole = read.iter().all(|(_, limit)| limit.is_some());
        whole.then(|| Each::of(|meter| read.get(meter).unwrap_or_default()))
    }

    fn limit(&mut self, field: &str, meter: Meter, value: Option<&Value>) -> Option<u64> {
        let Some(value) = value else {
            self.mistake(field, "is missing");
            return None;
        };
        let smallest = meter.smallest();
        let limit = value.as_integer().and_then(|limit| u64::try_from(limit).ok());
        let limit = limit.filter(|limit| (smallest..=MAX_LIMIT).contains(limit));
        if limit.is_none() {
            self.mistake(field, &format!("must be a whole number from {smallest} to {MAX_LIMIT}, without quotes"));
        }
        limit
    }
}

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

    use super::*;

    fn name(text: &str) -> PlanName {
        PlanName::new(text).expect("a good name")
    }

    fn builtin(text: &str) -> Plan {
        Plans::builtin().get(&name(text)).expect("a builtin plan").clone()
    }

    fn team() -> String {
        let limits: Vec<_> = Meter::ALL.iter().map(|meter| format!("{meter} = 7")).collect();
        [
            "[[plan]]",
            "name = \"team\"",
            "title = \"Team\"",
            "description = \"Ours.\"",
            "features = [\"audit_export\"]",
            "[plan.limits]",
            &limits.join("\n"),
            "",
        ]
        .join("\n")
    }

    /// The mistakes of a file whose one plan had some text replaced.
    fn mistakes(from: &str, to: &str) -> String {
        let text = format!("default = \"team\"\n{}", team());
        assert!(text.contains(from), "{from}");
        Plans::parse(&text.replacen(from, to, 1)).expect_err("a bad file").to_string()
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
        let file = include_str!("../data/plans.toml");
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
    fn an_operators_file_adds_and_replaces_plans() {
        let added = Plans::builtin().merge(&team()).expect("a good file");
        let names: Vec<_> = added.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!(names, ["free", "pro", "enterprise", "team"]);
        assert_eq!(added.default_plan().name, name("free"));

        let replaced = Plans::builtin().merge(&team().replace("\"team\"", "\"free\"")).expect("a good file");
        let names: Vec<_> = replaced.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!(names, ["free", "pro", "enterprise"]);
        assert_eq!(*replaced.default_plan().limits.get(Meter::Requests), 7);

        let other = Plans::builtin().merge(&format!("default = \"team\"\n{}", team())).expect("a good file");
        assert_eq!(other.default_plan().name, name("team"));
        assert_eq!(Plans::builtin().merge("").expect("an empty file changes nothing"), Plans::builtin());
    }

    #[test]
    fn each_mistake_names_its_plan_and_field() {
        assert_eq!(mistakes("seats = 7\n", ""), "plan `team`, field `limits.seats` is missing");
        assert_eq!(mistakes("mails = 7", "mail = 7\nmails = 7"), "plan `team`, field `limits.mail` is not known");
        assert_eq!(mistakes("title =", "price = 5\ntitle ="), "plan `team`, field `price` is not known");
        assert_eq!(mistakes("title = \"Team\"\n", ""), "plan `team`, field `title` is missing");
        assert_eq!(
            mistakes("\"Team\"", "\" \""),
            "plan `team`, field `title` must be text of 1 to 60 characters in quotes"
        );
        assert_eq!(
            mistakes("\"audit_export\"", "\"audit\""),
            "plan `team`, field `features` must be one of `custom_roles`, `audit_export`, `member_activity`"
        );
        for wrong in ["-1", "\"7\"", "7.0", "9007199254740992"] {
            assert_eq!(
                mistakes("tokens = 7", &format!("tokens = {wrong}")),
                "plan `team`, field `limits.tokens` must be a whole number from 0 to 9007199254740991, without quotes"
            );
        }
        assert_eq!(
            mistakes("seats = 7", "seats = 0"),
            "plan `team`, field `limits.seats` must be a whole number from 1 to 9007199254740991, without quotes"
        );
        assert_eq!(
            mistakes("name = \"team\"", "name = \"Team!\""),
            "plan `number 1`, field `name` must be 1 to 40 of the characters a-z, 0-9, `_` and `-`"
        );
        assert_eq!(
            mistakes("default = \"team\"\n", ""),
            "field `default` is missing: it names the plan of new organisations"
        );
        assert_eq!(
            mistakes("default = \"team\"", "default = \"free\""),
            "field `default` must name one of the plans; `free` is none"
        );
        assert_eq!(mistakes("default =", "plans = 1\ndefault ="), "field `plans` is not known");
        assert_eq!(Plans::parse("plan = 5").expect_err("a bad file").0[0].field, "plan");
        assert!(mistakes("title = \"Team\"", "title = Team").starts_with("line 4 must be TOML: "));
        let twice = Plans::builtin().merge(&team().repeat(2)).expect_err("a bad file");
        assert_eq!(twice.to_string(), "plan `team`, field `name` must not stand twice in a file");
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = team().replace("seats = 7\n", "").replace("\"Ours.\"", "5").replace("audit_export", "x");
        let error = Plans::builtin().merge(&text).expect_err("a bad file");
        let fields: Vec<_> = error.0.iter().map(|mistake| mistake.field.as_str()).collect();
        assert_eq!(fields, ["description", "features", "limits.seats"]);
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

    #[test]
    fn names_are_one_spelling_everywhere() {
        for &meter in Meter::ALL {
            assert_eq!(meter.as_str().parse(), Ok(meter));
            assert_eq!(serde_json::to_value(meter).expect("meters serialise"), meter.as_str());
        }
        for &feature in Feature::ALL {
            assert_eq!(feature.as_str().parse(), Ok(feature));
            assert_eq!(serde_json::to_value(feature).expect("features serialise"), feature.as_str());
        }
        assert_eq!("Seats".parse::<Meter>(), Err(InvalidMeter));
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
