//! Time zones by their IANA names: where the months and days of an organisation begin.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Time;

/// The name of a time zone in the IANA database, spelled as there.
#[derive(Clone, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct TimeZoneName(String);

/// Text that names no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the IANA name of a time zone such as Europe/Berlin or UTC")]
pub struct InvalidTimeZone;

impl TimeZoneName {
    /// Looks the name up, capitals or not, and takes it as the database spells it.
    /// # Errors
    /// [`InvalidTimeZone`] when the database has none of that name.
    pub fn new(text: &str) -> Result<Self, InvalidTimeZone> {
        let zone = jiff::tz::TimeZone::get(text.trim()).map_err(|_| InvalidTimeZone)?;
        let known = zone.iana_name().filter(|_| !zone.is_unknown());
        known.map(|name| Self(name.to_owned())).ok_or(InvalidTimeZone)
    }

    /// The zone that never shifts.
    #[must_use]
    pub fn utc() -> Self {
        Self("UTC".into())
    }

    /// The date that a calendar there shows.
    #[must_use]
    pub fn date(&self, at: Time) -> jiff::civil::Date {
        at.civil_date(&jiff::tz::TimeZone::get(&self.0).unwrap_or(jiff::tz::TimeZone::UTC))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TimeZoneName {
    type Err = InvalidTimeZone;
    fn from_str(text: &str) -> Result<Self, InvalidTimeZone> {
        Self::new(text)
    }
}

impl Serialize for TimeZoneName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TimeZoneName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for TimeZoneName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeZoneName".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "The IANA name of a time zone.",
            "examples": ["Europe/Berlin"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_database_are_taken() {
        assert_eq!(TimeZoneName::new("europe/berlin").expect("known").as_str(), "Europe/Berlin");
        assert_eq!(TimeZoneName::new("UTC").expect("known").as_str(), "UTC");
        for wrong in ["", "Berlin", "Europe/Atlantis", "+02:00", "CET-1CEST,M3.5.0,M10.5.0/3", "../etc/passwd"] {
            assert_eq!(TimeZoneName::new(wrong), Err(InvalidTimeZone), "{wrong}");
        }
    }
}
