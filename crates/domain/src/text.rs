//! Short texts that people type: each a type of its own that holds only what it allows, so that nothing further in checks again.

/// Text that breaks its type's rule; says the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidText(pub String);

/// Characters that have no place in a name: control characters, and the Unicode ones that reorder or hide text.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// Joins pictures to one: a woman and a computer to a woman at her computer.
const JOINER: char = '\u{200D}';

/// What an emoji is made of, other than what follows it to change its look.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Each character of a text, and whether it has no place in a name: a joiner has its place between two pictures.
fn judged(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let joins = c == JOINER && before.is_some_and(is_picture) && rest.peek().copied().is_some_and(is_picture);
        // It asks for the coloured form of what stands before it.
        if c != '\u{FE0F}' {
            before = Some(c);
        }
        Some((c, is_hidden(c) && !joins))
    })
}

/// A text without what has no place in a name.
#[must_use]
pub fn visible(text: &str) -> String {
    judged(text).filter(|(_, hidden)| !hidden).map(|(c, _)| c).collect()
}

fn check(text: &str, min: usize, max: usize, lines: bool) -> Result<String, InvalidText> {
    let text = text.trim();
    let length = text.chars().count();
    if length < min || length > max {
        return Err(InvalidText(format!("must be {min} to {max} characters long, without spaces around it")));
    }
    if judged(text).any(|(c, hidden)| hidden && !(lines && matches!(c, '\n' | '\t'))) {
        return Err(InvalidText("must not hold control or invisible characters".into()));
    }
    Ok(text.to_owned())
}

macro_rules! text_type {
    ($name:ident, $min:literal..=$max:literal, lines: $lines:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(String);

        impl $name {
            /// Checks the text and takes it; spaces around it are dropped.
            /// # Errors
            /// [`InvalidText`] names the rule that is broken.
            pub fn new(text: &str) -> Result<Self, InvalidText> {
                check(text, $min, $max, $lines).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "minLength": $min, "maxLength": $max, "description": $doc })
            }
        }
    };
}

text_type!(PersonName, 1..=120, lines: false, "What a person is called.");
text_type!(OrgName, 1..=120, lines: false, "What an organisation is called; need not be unique.");
text_type!(TeamName, 1..=80, lines: false, "A team's name, unique among its siblings.");
text_type!(ProjectName, 1..=80, lines: false, "A project's name, unique in its organisation.");
text_type!(RoleName, 1..=60, lines: false, "A custom role's name, unique in its organisation.");
text_type!(KeyName, 1..=80, lines: false, "What an API key is for.");
text_type!(ProviderName, 1..=80, lines: false, "What a provider of models is called.");
text_type!(ModelName, 1..=200, lines: false, "A model's name, as its provider has it.");
text_type!(CollectionName, 1..=120, lines: false, "What a collection of documents is called.");
text_type!(DocumentTitle, 1..=300, lines: false, "What a document is called.");
text_type!(Tag, 1..=60, lines: false, "A word that people give a document.");
text_type!(ThreadTitle, 1..=200, lines: false, "What a conversation is called.");
text_type!(Remark, 1..=2000, lines: true, "What somebody says to an answer.");
text_type!(Correction, 1..=20_000, lines: true, "What would have been the right answer.");
text_type!(Reason, 1..=200, lines: false, "Why something was done.");
text_type!(Description, 0..=1000, lines: true, "A few sentences.");

impl Default for Description {
    /// No words.
    fn default() -> Self {
        Self(String::new())
    }
}

/// A short name for URLs and labels made out of a name: lower-case ASCII letters, digits and single hyphens, 1 to 48 characters.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(48);
    for c in name.chars() {
        if slug.len() >= 48 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "organisation".into() } else { slug.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(TeamName::new("  Engineering ").expect("a good name").as_str(), "Engineering");
        assert!(TeamName::new("   ").is_err());
        assert!(TeamName::new(&"x".repeat(81)).is_err());
        assert!(TeamName::new("evil\u{202E}txt").is_err());
        assert!(TeamName::new("two\nlines").is_err());
        assert!(TeamName::new("two\u{2028}lines").is_err());
        assert!(Description::new("two\nlines").is_ok());
    }

    #[test]
    fn joined_pictures_are_one_and_nothing_else_is_joined() {
        for good in ["👩‍💻", "Ann 👩🏽‍💻 at home", "🏳️‍🌈", "❤️‍🔥", "👨‍👩‍👧‍👦", "🐦‍⬛"]
        {
            assert_eq!(TeamName::new(good).expect(good).as_str(), good);
            assert_eq!(visible(good), good);
        }
        for wrong in [
            "pay\u{200D}roll",
            "👩\u{200D}",
            "\u{200D}💻",
            "👩\u{200D}\u{200D}💻",
            "👩\u{200D}x",
            "a\u{FE0F}\u{200D}💻",
            "👩\u{200B}💻",
        ] {
            assert!(TeamName::new(&format!("x {wrong} y")).is_err(), "{wrong:?}");
        }
        assert_eq!(visible("evil\u{202E}txt \u{200D}👩‍💻"), "eviltxt 👩‍💻");
    }

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug("Acme Corp. (EU)"), "acme-corp-eu");
        assert_eq!(slug("Ünïcode"), "n-code");
        assert_eq!(slug("東京"), "organisation");
    }
}
