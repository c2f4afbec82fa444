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

/// Joins pictures to one: a woman and a computer to a woman at her computer; in some scripts letters, too.
const JOINER: char = '\u{200D}';
/// Keeps letters apart that would be joined, as Persian does between the parts of a word.
const NON_JOINER: char = '\u{200C}';

/// What an emoji is made of, other than what follows it to change its look.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Whether a joiner or a non-joiner between two letters changes what is seen: between letters of Arabic script of which the first
/// joins what follows, and after a virama of an Indic script. This is how RFC 5892, appendix A, has it for the names of hosts.
fn is_seen_between(before: char, after: char) -> bool {
    let arabic = |c| matches!(c, '\u{0620}'..='\u{064A}' | '\u{066E}'..='\u{06D3}' | '\u{0750}'..='\u{077F}' | '\u{08A0}'..='\u{08C9}');
    let ends = matches!(before,
        '\u{0621}'..='\u{0625}' | '\u{0627}' | '\u{0629}' | '\u{062F}'..='\u{0632}' | '\u{0648}'
        | '\u{0671}'..='\u{0677}' | '\u{0688}'..='\u{0699}' | '\u{06C0}' | '\u{06C3}'..='\u{06CB}' | '\u{06CD}' | '\u{06CF}' | '\u{06D2}'..='\u{06D3}');
    let virama = matches!(
        before,
        '\u{094D}'
            | '\u{09CD}'
            | '\u{0A4D}'
            | '\u{0ACD}'
            | '\u{0B4D}'
            | '\u{0BCD}'
            | '\u{0C4D}'
            | '\u{0CCD}'
            | '\u{0D4D}'
            | '\u{0DCA}'
    );
    (arabic(before) && !ends && arabic(after)) || (virama && after.is_alphabetic())
}

/// Each character of a text, and whether it has no place in a name: a joiner has its place between two pictures, or where letters look
/// different by it.
fn judged(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let joins = before.zip(rest.peek().copied()).is_some_and(|(before, after)| match c {
            JOINER => (is_picture(before) && is_picture(after)) || is_seen_between(before, after),
            NON_JOINER => is_seen_between(before, after),
            _ => false,
        });
        // Marks stand on what is before them: the wish for its coloured form, and vowels of Arabic script.
        if !matches!(c, '\u{FE0F}' | '\u{064B}'..='\u{065F}' | '\u{0670}') {
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
    fn joiners_stand_where_they_change_what_is_seen() {
        for good in ["نامه\u{200C}ها", "می\u{200C}خواهم", "مِ\u{200C}خ", "क्\u{200D}ष", "श्री\u{20}क्\u{200C}ष"]
        {
            assert_eq!(TeamName::new(good).expect(good).as_str(), good);
        }
        // After a letter that joins nothing, within Latin words, at an end, and twice they would be seen by nobody.
        for wrong in [
            "دا\u{200C}د",
            "pay\u{200C}roll",
            "نامه\u{200C}",
            "\u{200C}نامه",
            "نامه\u{200C}\u{200C}ها",
            "क\u{200D}ष",
            "क्\u{200D}",
        ] {
            assert!(TeamName::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug("Acme Corp. (EU)"), "acme-corp-eu");
        assert_eq!(slug("Ünïcode"), "n-code");
        assert_eq!(slug("東京"), "organisation");
    }
}
