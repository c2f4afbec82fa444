//! What a plan limits and unlocks: closed lists of names, and one value for each name of such a list.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// What is limited by a plan. A month is a calendar month in the organisation's time zone.
    Meter, InvalidMeter, "meter":
    Requests = "requests": "Calls of a model in a month.";
    Tokens = "tokens": "Tokens read and written by models in a month, together.";
    Seats = "seats": "People in the organisation, pending invitations included.";
    Storage = "storage": "Bytes of all files and rows together.";
    Documents = "documents": "Documents in all knowledge collections together.";
    Schedules = "schedules": "Sources that are asked by themselves.";
    Prospects = "prospects": "People in all outreach lists together.";
    Mails = "mails": "Mails sent to people outside the organisation in a month.";
    Concurrency = "concurrency": "Calls, jobs and agent runs at the same time.";
    Teams = "teams": "Teams at all levels of the tree together.";
    Projects = "projects": "Projects, archived ones included.";
    Roles = "roles": "Custom roles.";
    ApiKeys = "api_keys": "API keys that have neither expired nor been revoked.";
}

impl Meter {
    /// Whether use is counted from zero each month; the others count what is there now.
    #[must_use]
    pub const fn is_monthly(self) -> bool {
        matches!(self, Self::Requests | Self::Tokens | Self::Mails)
    }

    /// The smallest limit with which an organisation can exist: it has an owner, and must be able to do one thing at a
    /// time.
    pub(super) const fn smallest(self) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
