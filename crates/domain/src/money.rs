//! Money: amounts in millionths of a currency, and currencies by their three letters. Nothing here calculates with fractions.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::MAX_LIMIT;

/// Text that is not a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a currency as its three capital letters, such as EUR (ISO 4217)")]
pub struct InvalidCurrency;

/// A currency by the three letters of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The text.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "only capital letters go in")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency holds only ASCII letters")
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;
    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        let letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        if letters.iter().all(u8::is_ascii_uppercase) { Ok(Self(letters)) } else { Err(InvalidCurrency) }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217.", "examples": ["EUR"] })
    }
}

/// An amount that is out of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number of millionths from 0 to {MAX_LIMIT}")]
pub struct InvalidMicros;

/// An amount in millionths of a currency; at most 2^53 - 1, so that it survives every JSON reader.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct Micros(i64);

impl Micros {
    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Micros {
    type Error = InvalidMicros;
    fn try_from(number: i64) -> Result<Self, InvalidMicros> {
        let fits = u64::try_from(number).is_ok_and(|number| number <= MAX_LIMIT);
        if fits { Ok(Self(number)) } else { Err(InvalidMicros) }
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Micros {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Micros".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let doc = "Millionths of the currency.";
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": MAX_LIMIT, "description": doc })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_three_capital_letters() {
        assert_eq!("EUR".parse::<Currency>().expect("a currency").to_string(), "EUR");
        for wrong in ["", "EU", "EURO", "eur", "E R", "€"] {
            assert_eq!(wrong.parse::<Currency>(), Err(InvalidCurrency), "{wrong}");
        }
    }

    #[test]
    fn amounts_are_whole_and_not_negative() {
        assert_eq!(serde_json::from_str::<Micros>("5000000").expect("an amount").get(), 5_000_000);
        for wrong in ["-1", "0.5", "9007199254740992", "\"5\""] {
            assert!(serde_json::from_str::<Micros>(wrong).is_err(), "{wrong}");
        }
    }
}
