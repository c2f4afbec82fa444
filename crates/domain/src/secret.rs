//! What somebody shows to get in and nobody else may read: passwords, codes, tokens. None of it is ever printed or repeated.

use std::fmt;

/// Longest text taken, in bytes: a bound on work, far above what this server gives out.
const MAX: usize = 1024;

/// A code or a token that somebody shows: 1 to 1024 bytes, taken as they are.
///
/// `Debug` prints `***`; there is no `Display` and no `Serialize`.
pub struct SecretText(String);

/// Text that cannot be a code or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX} bytes long")]
pub struct InvalidSecret;

impl SecretText {
    /// Takes the text as it is.
    /// # Errors
    /// [`InvalidSecret`] when it is empty or too long.
    pub fn new(text: String) -> Result<Self, InvalidSecret> {
        if (1..=MAX).contains(&text.len()) { Ok(Self(text)) } else { Err(InvalidSecret) }
    }

    /// The text. Only for comparing its hash.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Reads text without ever repeating it: serde's own errors name the value that was sent, which here may be the
/// password. For the same reason it must be asked by `deserialize_any`: when asked for text, `serde_json` complains by
/// itself.
pub(crate) struct Reader;

impl serde::de::Visitor<'_> for Reader {
    type Value = String;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a password as text")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<String, E> {
        Err(E::custom("must be text"))
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<String, E> {
        Err(E::custom("must be text"))
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<String, E> {
        Err(E::custom("must be text"))
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<String, E> {
        Err(E::custom("must be text"))
    }
}

/// Gives a type made from text the means to be read from JSON without ever being shown.
macro_rules! secret_text {
    ($name:ident, $min:expr, $max:expr, $doc:literal) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("***")
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(deserializer.deserialize_any($crate::secret::Reader)?).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "format": "password",
                    "minLength": $min,
                    "maxLength": $max,
                    "description": $doc,
                })
            }
        }
    };
}

pub(crate) use secret_text;

secret_text!(SecretText, 1, MAX, "A code or a token as it was given out.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_ever_shown() {
        let token: SecretText = serde_json::from_str("\"s3cret\"").expect("a good token");
        assert_eq!((token.expose(), format!("{token:?}").as_str()), ("s3cret", "***"));
        let wrong = serde_json::from_str::<SecretText>("31337").expect_err("a number");
        assert!(!wrong.to_string().contains("31337"), "{wrong}");
        assert!(serde_json::from_str::<SecretText>("\"\"").is_err());
    }
}
