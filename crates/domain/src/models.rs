//! Names and kinds around models: who provides them, and the names that an organisation gives them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which dialect a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// OpenAI, and everything that imitates it: Ollama, vLLM, llama.cpp, LM Studio, Azure.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
}

impl ProviderKind {
    /// The name in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// Where the maker of the dialect serves it.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::OpenAi => "https://api.openai.com/v1",
            Self::Anthropic => "https://api.anthropic.com",
        }
    }
}

/// How the names of the models begin that are inside this program; nobody else's may begin so.
pub const EMBEDDED: &str = "rowhouse-";

/// A name that an organisation gives to models: `fast`, `cheap`, `best`, or one of its own.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AliasName(String);

/// Text that is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to 64 letters, digits, `.`, `_`, `:` or `-`, begin with a letter or digit, and not with `{EMBEDDED}`"
)]
pub struct InvalidAlias;

impl AliasName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AliasName {
    type Err = InvalidAlias;
    fn from_str(text: &str) -> Result<Self, InvalidAlias> {
        let good = (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-'))
            && !text.starts_with(EMBEDDED);
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidAlias) }
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AliasName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AliasName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for AliasName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AliasName".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$",
            "description": "A name of the organisation's own for models.",
            "examples": ["fast"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_can_stand_in_a_path_and_take_no_embedded_name() {
        for good in ["fast", "gpt-4o", "llama3.2:1b", "A_1"] {
            assert_eq!(good.parse::<AliasName>().expect(good).as_str(), good);
        }
        for wrong in ["", "-x", "a/b", "a b", "ä", "rowhouse-extractive", &"x".repeat(65)] {
            assert_eq!(wrong.parse::<AliasName>(), Err(InvalidAlias), "{wrong}");
        }
    }
}
