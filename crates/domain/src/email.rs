//! Mail addresses: the form that a person typed and the form that makes an account unique.
//!
//! Deliberately narrower than the standards: what a mail server and a person both take for an address, and nothing that
//! could smuggle a second recipient, a header or a look-alike letter.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Longest address in bytes: RFC 5321 section 4.5.3.1.3 allows a path of 256 with its angle brackets.
const MAX: usize = 254;
/// Longest part before the `@` in bytes: RFC 5321 section 4.5.3.1.1.
const MAX_LOCAL: usize = 64;
/// Longest domain in bytes as text: RFC 1035 section 2.3.4 allows 255 on the wire, two of which the text does not show.
const MAX_DOMAIN: usize = 253;
/// Longest part of a domain between dots in bytes: RFC 1035 section 2.3.4.
const MAX_LABEL: usize = 63;

/// Text that is not a mail address we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// It has not the form of an address.
    #[error("must be a mail address such as ann@example.com")]
    Form,
    /// It holds letters outside ASCII. They are refused because many of them look alike and not every mail server takes
    /// them.
    #[error(
        "must be a mail address such as ann@example.com, in plain ASCII letters; \
         write an international domain in its `xn--` form"
    )]
    NotAscii,
    /// It is longer than any mail server must take.
    #[error(
        "must be a mail address such as ann@example.com of at most 254 characters, at most 64 of them before the `@`"
    )]
    TooLong,
}

/// A mail address as it was typed. Two addresses are equal when they differ only in capitals.
#[derive(Clone, Debug)]
pub struct Email(String);

impl Email {
    /// Checks the address and takes it as it was typed; spaces around it are dropped.
    ///
    /// Taken are: one `@`; before it 1 to 64 characters of RFC 5321 `atext` with single dots between them, no quotes;
    /// after it `localhost` or a domain of at most 253 characters with at least one dot, its labels of letters, digits
    /// and inner hyphens, the last not a mere number.
    /// # Errors
    /// [`InvalidEmail`] names the rule that is broken.
    pub fn new(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if !text.is_ascii() {
            return Err(InvalidEmail::NotAscii);
        }
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail::Form)?;
        if text.len() > MAX || local.len() > MAX_LOCAL || domain.len() > MAX_DOMAIN {
            return Err(InvalidEmail::TooLong);
        }
        if is_local_part(local) && is_domain(domain) { Ok(Self(text.to_owned())) } else { Err(InvalidEmail::Form) }
    }

    /// The address as it was typed: for showing and for sending, as a server may tell capitals apart (RFC 5321 section
    /// 2.4).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in small letters: for looking up and for uniqueness. ASCII rules suffice, as nothing else gets in.
    #[must_use]
    pub fn normalised(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The part before the `@`, as it was typed.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or(self.as_str(), |(local, _)| local)
    }

    /// Whether there can be no server for it: the top-level domain `invalid` never gets one (RFC 6761, section 6.4).
    #[must_use]
    pub fn leads_nowhere(&self) -> bool {
        self.normalised().ends_with(".invalid")
    }
}

impl Email {
    /// The domain in small letters, for comparing.
    #[must_use]
    pub fn domain(&self) -> String {
        self.0.split_once('@').map_or_else(String::new, |(_, domain)| domain.to_ascii_lowercase())
    }
}

fn is_local_part(text: &str) -> bool {
    // RFC 5321 section 4.1.2 `Dot-string`, RFC 5322 section 3.2.3 `atext`.
    let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A mere number at the end makes it an IP address (RFC 3696 section 2).
    let named = text.rsplit_once('.').is_some_and(|(_, last)| !last.bytes().all(|b| b.is_ascii_digit()));
    (named || text.eq_ignore_ascii_case("localhost")) && text.split('.').all(is_label)
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Email {}

impl Hash for Email {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normalised().hash(state);
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Email {
    type Err = InvalidEmail;
    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        Self::new(text)
    }
}

impl serde::Serialize for Email {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Email {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Email {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Email".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "email",
            "maxLength": MAX,
            "description": "A mail address in ASCII; capitals do not make it another one.",
            "examples": ["ann@example.com"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_typed_form() {
        let email = Email::new("  Ann.Lee+rowhouse@Example.COM ").expect("a good address");
        assert_eq!(email.as_str(), "Ann.Lee+rowhouse@Example.COM");
        assert_eq!(email.to_string(), "Ann.Lee+rowhouse@Example.COM");
        assert_eq!(email.normalised(), "ann.lee+rowhouse@example.com");
        assert_eq!(email.local_part(), "Ann.Lee+rowhouse");
    }

    #[test]
    fn capitals_do_not_make_another_address() {
        let [typed, plain] =
            ["Ann@Example.com", "ann@example.com"].map(|text| Email::new(text).expect("a good address"));
        assert_eq!(typed, plain);
        assert_eq!(std::collections::HashSet::from([typed, plain]).len(), 1);
    }

    #[test]
    fn usual_and_odd_addresses_are_taken() {
        for good in [
            "a@b.co",
            "o'neil@example.co.uk",
            "x_1-2=3@mail-1.example.museum",
            "root@localhost",
            "root@LOCALHOST",
            "ann@xn--bcher-kva.example",
            "ann@4chan.org",
            "!#$%&'*+-/=?^_`{|}~@example.com",
        ] {
            assert!(Email::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in [
            "",
            "@",
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "ann@example.com.",
            "ann@.example.com",
            "ann@exa..mple.com",
            "ann@-example.com",
            "ann@example-.com",
            "ann@exa_mple.com",
            "ann@127.0.0.1",
            "ann@[127.0.0.1]",
            "ann@bob@example.com",
            ".ann@example.com",
            "ann.@example.com",
            "an..n@example.com",
            "\"ann\"@example.com",
            "an n@example.com",
            "ann@exam ple.com",
            "ann@example.com,bob@example.com",
            "Ann <ann@example.com>",
            "ann@example.com\r\nBcc: bob@example.com",
            "an\0n@example.com",
        ] {
            assert_eq!(Email::new(wrong), Err(InvalidEmail::Form), "{wrong}");
        }
    }

    #[test]
    fn letters_outside_ascii_are_refused_by_name() {
        for wrong in ["änn@example.com", "ann@bücher.example", "аnn@example.com", "ann@example.com\u{200B}"] {
            assert_eq!(Email::new(wrong), Err(InvalidEmail::NotAscii), "{wrong}");
        }
        assert!(InvalidEmail::NotAscii.to_string().contains("ASCII"));
    }

    #[test]
    fn lengths_end_where_the_standard_says() {
        let domain = |length: usize| {
            let text = format!("{0}.{0}.{0}.{0}", "d".repeat(MAX_LABEL));
            text[text.len() - length..].to_owned()
        };
        assert!(Email::new(&format!("{}@example.com", "l".repeat(64))).is_ok());
        assert_eq!(Email::new(&format!("{}@example.com", "l".repeat(65))), Err(InvalidEmail::TooLong));
        assert!(Email::new(&format!("a@{}", domain(252))).is_ok());
        assert_eq!(Email::new(&format!("a@{}", domain(253))), Err(InvalidEmail::TooLong));
        assert!(Email::new(&format!("a@{}.com", "d".repeat(63))).is_ok());
        assert_eq!(Email::new(&format!("a@{}.com", "d".repeat(64))), Err(InvalidEmail::Form));
    }

    #[test]
    fn json_carries_the_typed_form() {
        let email: Email = serde_json::from_str("\"Ann@example.com\"").expect("a good address");
        assert_eq!(serde_json::to_string(&email).expect("addresses serialise"), "\"Ann@example.com\"");
        let error = serde_json::from_str::<Email>("\"ann\"").expect_err("a bad address");
        assert!(error.to_string().starts_with("must be a mail address such as ann@example.com"), "{error}");
    }
}
