//! The catalogue of events that webhooks can be told of. What happens later only adds a name here.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The type of the message that only tries a webhook; nobody subscribes to it.
pub const TEST: &str = "webhook.test";

macro_rules! events {
    ($($name:ident = $text:literal : $doc:literal;)+) => {
        /// Something that happens in an organisation.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
        pub enum EventType {
            $(#[doc = $doc] $name,)+
        }

        impl EventType {
            /// The whole catalogue, in its order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name in the API, in messages and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

events! {
    BudgetThreshold = "budget.threshold": "A budget is used up to one of its thresholds below 100 %.";
    BudgetExhausted = "budget.exhausted": "A budget is used up, or passed a threshold above that.";
    QuotaThreshold = "quota.threshold": "A limit of the plan, or of a key's calls, is used up to a threshold below 100 %.";
    QuotaExhausted = "quota.exhausted": "A limit of the plan, or of a key's calls, is used up.";
}

/// Text that names no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("names no event; it is one of {}", EventType::ALL.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(", "))]
pub struct UnknownEvent;

impl FromStr for EventType {
    type Err = UnknownEvent;
    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        Self::ALL.iter().copied().find(|event| event.as_str() == text).ok_or(UnknownEvent)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for EventType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for EventType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventType".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Self::ALL.iter().map(|event| event.as_str()).collect();
        schemars::json_schema!({ "type": "string", "enum": names, "description": "Something that happens in an organisation." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_known_by_its_name_and_the_test_is_none_of_them() {
        for event in EventType::ALL {
            assert_eq!(event.as_str().parse(), Ok(*event));
        }
        assert_eq!(TEST.parse::<EventType>(), Err(UnknownEvent));
    }
}
