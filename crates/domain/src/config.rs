//! What a person configures for themselves in an organisation, and what holds when they have not.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time_zone::TimeZoneName;

/// Most kinds of notifications that can be switched.
const MOST_NOTIFICATIONS: usize = 64;

/// Text that breaks its type's rule; says the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSetting(&'static str);

macro_rules! text_in_json {
    ($($name:ident: $pattern:literal, $doc:literal, $example:literal;)+) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $doc, "examples": [$example] })
            }
        }
    )+ };
}

text_in_json! {
    TimeOfDay: "^([01][0-9]|2[0-3]):[0-5][0-9]$", "A time of day, to the minute.", "07:30";
    Language: "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "A language by its tag (BCP 47).", "en";
    NotificationKind: "^[a-z][a-z0-9_]{0,39}$", "A kind of notification.", "key_expiry";
}

/// A time of day, to the minute, as `HH:MM`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeOfDay(String);

impl FromStr for TimeOfDay {
    type Err = InvalidSetting;
    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let number = |digits: &str, below: u8| {
            let two = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            two && digits.parse::<u8>().is_ok_and(|number| number < below)
        };
        match text.split_once(':') {
            Some((hour, minute)) if number(hour, 24) && number(minute, 60) => Ok(Self(text.to_owned())),
            _ => Err(InvalidSetting("must be a time of day such as 07:30, from 00:00 to 23:59")),
        }
    }
}

/// A language by its tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Language(String);

impl FromStr for Language {
    type Err = InvalidSetting;
    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let mut parts = text.split('-');
        let first =
            parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_lowercase()));
        let rest = parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
        if first && rest && text.len() <= 35 {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSetting("must be a language tag such as en or pt-BR"))
        }
    }
}

/// A kind of notification.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NotificationKind(String);

impl FromStr for NotificationKind {
    type Err = InvalidSetting;
    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if plain && text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSetting("must be a name of small letters, digits and `_`, at most 40 of them"))
        }
    }
}

/// How pages look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the browser says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A step of the guide for whoever begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuideStep {
    /// Give the organisation its name.
    Organization,
    /// Add documents.
    Knowledge,
    /// Ask the first question.
    Question,
    /// Invite a colleague.
    Invitation,
    /// Make an API key.
    Key,
    /// All of it: the guide is shown no more.
    Guide,
}

/// What became of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It was done.
    Done,
    /// It was left out, for now.
    Skipped,
}

/// A configuration as stored: what a person has set, and nothing else. Its parts are bounded, so all of it stays below 4 KiB.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Config {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    planning_time: Option<TimeOfDay>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<TimeZoneName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<Language>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    theme: Option<Theme>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    notifications: BTreeMap<NotificationKind, bool>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    guide: BTreeMap<GuideStep, StepOutcome>,
}

/// A change of a configuration: what is left out stays, `null` goes back to what holds by default (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigPatch {
    /// When the day's planning is due.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<TimeOfDay>")]
    planning_time: Option<Option<TimeOfDay>>,
    /// The time zone of all times that are shown.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<TimeZoneName>")]
    time_zone: Option<Option<TimeZoneName>>,
    /// The language of mails and pages.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Language>")]
    language: Option<Option<Language>>,
    /// How pages look.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Theme>")]
    theme: Option<Option<Theme>>,
    /// Which notifications are wanted, by kind.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<BTreeMap<NotificationKind, Option<bool>>>")]
    notifications: Option<Option<BTreeMap<NotificationKind, Option<bool>>>>,
    /// What became of the steps of the guide.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<BTreeMap<GuideStep, Option<StepOutcome>>>")]
    guide: Option<Option<BTreeMap<GuideStep, Option<StepOutcome>>>>,
}

/// Tells `null` from a field that was left out.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Who said what holds: the nearest who said anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SettingLayer")]
pub enum Layer {
    /// The person.
    User,
    /// The organisation, for all its people.
    Organization,
    /// Rowhouse, for everybody.
    Installation,
}

/// Whence each setting comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[schemars(rename = "SettingLayers")]
pub struct Layers {
    /// When the day's planning is due.
    pub planning_time: Layer,
    /// The time zone.
    pub time_zone: Layer,
    /// The language.
    pub language: Layer,
    /// How pages look.
    pub theme: Layer,
}

/// A configuration as it holds: what was set, and defaults for the rest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, JsonSchema)]
pub struct Settings {
    /// When the day's planning is due; 08:00 by default.
    pub planning_time: TimeOfDay,
    /// The time zone of all times that are shown; the organisation's by default.
    pub time_zone: TimeZoneName,
    /// The language of mails and pages; English by default.
    pub language: Language,
    /// How pages look; as the browser says by default.
    pub theme: Theme,
    /// Which notifications are wanted, by kind; a kind that is not named is wanted.
    pub notifications: BTreeMap<NotificationKind, bool>,
    /// What became of the steps of the guide; a step that is not named is ahead.
    pub guide: BTreeMap<GuideStep, StepOutcome>,
    /// Whence each of the first four comes.
    pub layers: Layers,
}

impl Config {
    /// The configuration after a change.
    /// # Errors
    /// [`InvalidSetting`] when there are too many kinds of notifications.
    pub fn merge(mut self, patch: ConfigPatch) -> Result<Self, InvalidSetting> {
        if let Some(value) = patch.planning_time {
            self.planning_time = value;
        }
        if let Some(value) = patch.time_zone {
            self.time_zone = value;
        }
        if let Some(value) = patch.language {
            self.language = value;
        }
        if let Some(value) = patch.theme {
            self.theme = value;
        }
        merge(&mut self.notifications, patch.notifications);
        merge(&mut self.guide, patch.guide);
        if self.notifications.len() > MOST_NOTIFICATIONS {
            return Err(InvalidSetting("must name at most 64 kinds of notifications"));
        }
        Ok(self)
    }

    /// What holds for a person of an organisation with this time zone.
    #[must_use]
    pub fn settings(self, organisations: &TimeZoneName) -> Settings {
        let or_usual = |set: bool| if set { Layer::User } else { Layer::Installation };
        let layers = Layers {
            planning_time: or_usual(self.planning_time.is_some()),
            time_zone: if self.time_zone.is_some() { Layer::User } else { Layer::Organization },
            language: or_usual(self.language.is_some()),
            theme: or_usual(self.theme.is_some()),
        };
        Settings {
            planning_time: self.planning_time.unwrap_or_else(|| TimeOfDay("08:00".into())),
            time_zone: self.time_zone.unwrap_or_else(|| organisations.clone()),
            language: self.language.unwrap_or_else(|| Language("en".into())),
            theme: self.theme.unwrap_or_default(),
            notifications: self.notifications,
            guide: self.guide,
            layers,
        }
    }
}

fn merge<K: Ord, V>(all: &mut BTreeMap<K, V>, patch: Option<Option<BTreeMap<K, Option<V>>>>) {
    match patch {
        None => {}
        Some(None) => all.clear(),
        Some(Some(changes)) => {
            for (key, value) in changes {
                match value {
                    Some(value) => all.insert(key, value),
                    None => all.remove(&key),
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(config: &str, patch: &str) -> String {
        let config: Config = serde_json::from_str(config).expect("a configuration");
        let config = config.merge(serde_json::from_str(patch).expect("a change")).expect("within bounds");
        serde_json::to_string(&config).expect("serialises")
    }

    #[test]
    fn a_change_touches_what_it_names() {
        let set = merged("{}", r#"{"planning_time":"07:30","notifications":{"key_expiry":false,"news":true}}"#);
        assert_eq!(set, r#"{"planning_time":"07:30","notifications":{"key_expiry":false,"news":true}}"#);
        assert_eq!(merged(&set, r#"{"language":"de"}"#).len(), set.len() + r#""language":"de","#.len());
        let some = merged(&set, r#"{"planning_time":null,"notifications":{"news":null}}"#);
        assert_eq!(some, r#"{"notifications":{"key_expiry":false}}"#);
        assert_eq!(merged(&some, r#"{"notifications":null}"#), "{}");
    }

    #[test]
    fn defaults_hold_for_the_rest() {
        let berlin: TimeZoneName = "Europe/Berlin".parse().expect("a zone");
        let settings = Config::default().settings(&berlin);
        assert_eq!(settings.planning_time.to_string(), "08:00");
        assert_eq!((&settings.time_zone, settings.layers.time_zone), (&berlin, Layer::Organization));
        assert_eq!((settings.theme, settings.layers.theme), (Theme::System, Layer::Installation));
        let own: Config = serde_json::from_str(r#"{"time_zone":"UTC","theme":"dark"}"#).expect("a configuration");
        let settings = own.settings(&berlin);
        assert_eq!((settings.time_zone, settings.layers.time_zone), (TimeZoneName::utc(), Layer::User));
        assert_eq!((settings.theme, settings.layers.theme), (Theme::Dark, Layer::User));
    }

    #[test]
    fn settings_follow_their_rules() {
        for wrong in ["24:00", "7:30", "07:60", "07-30", "+7:30", ""] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
        for wrong in ["English", "e", "en_US", "en-", "-en"] {
            assert!(wrong.parse::<Language>().is_err(), "{wrong}");
        }
        assert!("Key".parse::<NotificationKind>().is_err());
        let many: Vec<String> = (0..65).map(|n| format!("\"k{n}\":true")).collect();
        let patch = serde_json::from_str(&format!("{{\"notifications\":{{{}}}}}", many.join(","))).expect("a change");
        assert!(Config::default().merge(patch).is_err());
    }
}
