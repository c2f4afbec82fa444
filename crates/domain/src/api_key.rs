//! The text of an API key: `rh_<live|test>_<8 base62: public id>_<43 base62: secret><6 base62: checksum>`.
//!
//! The fixed prefix lets secret scanners find leaked keys, and the checksum lets a door refuse typing mistakes and
//! made-up text before it asks the database. A scanner's rule: `\brh_(live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}\b`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Ambient;

/// Characters of a public id.
const ID_LENGTH: usize = 8;
/// Characters of a secret: the fewest that hold 256 bits, as 62^43 is just above 2^256.
const SECRET_LENGTH: usize = 43;
/// Characters of a checksum: the fewest that hold 32 bits, as 62^6 is above 2^32.
const CHECKSUM_LENGTH: usize = 6;

/// Text that is not an API key. Tells nothing about which keys exist: both are found without a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The text does not look like a key.
    #[error("must be an API key: `rh_live_` or `rh_test_`, 8 letters or digits, `_`, 49 letters or digits")]
    Form,
    /// The text looks like a key, but its checksum is of other characters: it was mistyped, cut or made up.
    #[error("must be a whole API key: a character of this one is wrong")]
    Checksum,
}

/// Text that is not a key's public id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a key's public id: 8 ASCII letters or digits")]
pub struct InvalidPublicId;

/// What a key is used for. Written into the key, so that a test key in a live place is seen with the naked eye.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real work.
    Live,
    /// Trying things out.
    Test,
}

impl Mode {
    /// As written in the key, in the API and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = InvalidKey;
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        match text {
            "live" => Ok(Self::Live),
            "test" => Ok(Self::Test),
            _ => Err(InvalidKey::Form),
        }
    }
}

/// The part of a key that is no secret: 8 base62 characters by which the key is found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicId([u8; ID_LENGTH]);

impl PublicId {
    /// The text.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "only text goes in")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a public id holds only ASCII letters and digits")
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PublicId {
    type Err = InvalidPublicId;
    fn from_str(text: &str) -> Result<Self, InvalidPublicId> {
        let bytes = text.as_bytes().try_into().map_err(|_| InvalidPublicId)?;
        if base62::holds(text) { Ok(Self(bytes)) } else { Err(InvalidPublicId) }
    }
}

impl Serialize for PublicId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PublicId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PublicId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PublicId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9A-Za-z]{8}$",
            "description": "The part of an API key that is no secret.",
            "examples": ["AbCdEfGh"],
        })
    }
}

/// A whole key, just made or just shown to us by a caller. Well formed, which does not mean that it was ever given out.
///
/// Never stored: what is kept is the public id, a keyed hash of [`secret`](Self::secret), the prefix and the last four
/// characters.
#[derive(Clone)]
pub struct Presented {
    mode: Mode,
    public_id: PublicId,
    secret: String,
}

impl Presented {
    /// What the key is used for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What the key is found by.
    #[must_use]
    pub fn public_id(&self) -> PublicId {
        self.public_id
    }

    /// The 43 characters that prove the right to use the key. Only for hashing.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The whole key, for the one time that it is shown to its maker.
    #[must_use]
    pub fn expose(&self) -> String {
        let mut key = format!("{}_{}", self.prefix(), self.secret);
        key.push_str(&base62::checksum(&key));
        key
    }

    /// The part that may be shown in lists, such as `rh_live_AbCdEfGh`.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("rh_{}_{}", self.mode, self.public_id)
    }

    /// The last four characters of the whole key, by which people tell keys apart. They are of the checksum, so they
    /// give away at most 24 bits of the secret's 256.
    #[must_use]
    pub fn last4(&self) -> String {
        self.expose().split_off(EXPOSED_LENGTH - 4)
    }
}

/// Characters of a whole key: `rh_`, mode, `_`, public id, `_`, secret, checksum.
const EXPOSED_LENGTH: usize = 3 + 4 + 1 + ID_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH;

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Makes a new key. Its public id is random, so whoever stores it must be ready for one that is taken.
#[must_use]
pub fn generate(ambient: &Ambient, mode: Mode) -> Presented {
    let public_id = PublicId(base62::random(ambient));
    let secret = base62::random::<SECRET_LENGTH>(ambient).map(char::from).iter().collect();
    Presented { mode, public_id, secret }
}

/// Reads a key and checks its form and checksum, without asking anybody. Spaces around it are not dropped.
/// # Errors
/// [`InvalidKey`]; neither text repeats any part of the key.
pub fn parse(text: &str) -> Result<Presented, InvalidKey> {
    // The length and ASCII first: all slicing below relies on them.
    if text.len() != EXPOSED_LENGTH || !text.is_ascii() {
        return Err(InvalidKey::Form);
    }
    let (signed, checksum) = text.split_at(EXPOSED_LENGTH - CHECKSUM_LENGTH);
    let rest = signed.strip_prefix("rh_").ok_or(InvalidKey::Form)?;
    let (mode, rest) = rest.split_once('_').ok_or(InvalidKey::Form)?;
    let (public_id, secret) = rest.split_once('_').ok_or(InvalidKey::Form)?;
    let mode = mode.parse()?;
    let public_id = public_id.parse().map_err(|InvalidPublicId| InvalidKey::Form)?;
    if !base62::holds(secret) || !base62::holds(checksum) {
        return Err(InvalidKey::Form);
    }
    // Compared as text, so each key has one spelling. The checksum is no secret: time may vary.
    if checksum != base62::checksum(signed) {
        return Err(InvalidKey::Checksum);
    }
    Ok(Presented { mode, public_id, secret: secret.to_owned() })
}

/// Digits, capitals, small letters: text that survives every shell, URL and double click.
mod base62 {
    use super::CHECKSUM_LENGTH;
    use crate::Ambient;

    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// Whether the text holds nothing else.
    pub(super) fn holds(text: &str) -> bool {
        text.bytes().all(|b| b.is_ascii_alphanumeric())
    }

    /// The CRC-32 (IEEE 802.3) of the text, the highest digit first, filled up with `0` on the left.
    pub(super) fn checksum(text: &str) -> String {
        let mut rest = crc32fast::hash(text.as_bytes());
        let mut digits = [0; CHECKSUM_LENGTH];
        for digit in digits.iter_mut().rev() {
            *digit = ALPHABET[(rest % 62) as usize];
            rest /= 62;
        }
        digits.map(char::from).iter().collect()
    }

    /// `N` random characters, each as likely as any other.
    pub(super) fn random<const N: usize>(ambient: &Ambient) -> [u8; N] {
        let mut text = [0; N];
        let mut filled = 0;
        while filled < N {
            // Six bits give 0..=63; the two numbers without a character are thrown away, as a remainder would favour
            // the first two.
            for number in ambient.bytes::<64>().map(|byte| byte & 0x3F) {
                if let (Some(&character), Some(place)) = (ALPHABET.get(usize::from(number)), text.get_mut(filled)) {
                    *place = character;
                    filled += 1;
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Time;
    use crate::ambient::{ManualClock, SeededRandom};

    // Its checksum was computed by another program (Python's zlib.crc32).
    const KNOWN: &str = "rh_live_AbCdEfGh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg3HGirv";

    fn ambient(seed: u64) -> Ambient {
        Ambient::new(Arc::new(ManualClock::at(Time::from_micros(0))), Arc::new(SeededRandom::new(seed)))
    }

    #[test]
    fn a_known_key_reads_as_its_parts() {
        let key = parse(KNOWN).expect("a good key");
        assert_eq!(key.mode(), Mode::Live);
        assert_eq!(key.public_id().to_string(), "AbCdEfGh");
        assert_eq!(key.secret(), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg");
        assert_eq!(key.prefix(), "rh_live_AbCdEfGh");
        assert_eq!(key.last4(), "Girv");
        assert_eq!(key.expose(), KNOWN);
    }

    #[test]
    fn a_made_key_reads_back() {
        for seed in 0..200 {
            for mode in [Mode::Live, Mode::Test] {
                let made = generate(&ambient(seed), mode);
                let whole = made.expose();
                assert_eq!(whole.len(), EXPOSED_LENGTH);
                assert!(whole.starts_with(&format!("rh_{mode}_")), "{whole}");
                assert!(whole.ends_with(&made.last4()), "{whole}");
                let read = parse(&whole).expect("what we make we read");
                assert_eq!((read.mode(), read.public_id(), read.secret()), (mode, made.public_id(), made.secret()));
            }
        }
    }

    #[test]
    fn no_two_keys_are_alike() {
        let ambient = ambient(1);
        let secrets: std::collections::HashSet<_> =
            (0..1000).map(|_| generate(&ambient, Mode::Live).secret().to_owned()).collect();
        assert_eq!(secrets.len(), 1000);
        let used: std::collections::HashSet<_> = secrets.iter().flat_map(|secret| secret.chars()).collect();
        assert_eq!(used.len(), 62, "every character of the alphabet is used");
    }

    #[test]
    fn one_wrong_character_anywhere_is_refused() {
        for place in 0..KNOWN.len() {
            for wrong in ['0', 'a', 'Z', '_', ' ', '\0', 'é'] {
                let text: String = KNOWN.chars().enumerate().map(|(i, c)| if i == place { wrong } else { c }).collect();
                if text != KNOWN {
                    assert!(parse(&text).is_err(), "{text}");
                }
            }
        }
    }

    #[test]
    fn swapped_characters_are_refused() {
        for place in 17..KNOWN.len() - 1 {
            let mut bytes = KNOWN.as_bytes().to_vec();
            bytes.swap(place, place + 1);
            let text = String::from_utf8(bytes).expect("still ASCII");
            assert_eq!(parse(&text).err(), Some(InvalidKey::Checksum), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_for_their_form() {
        let short = &KNOWN[..KNOWN.len() - 1];
        let long = format!("{KNOWN}0");
        let spaced = format!(" {KNOWN}");
        let mode = KNOWN.replace("live", "prod");
        let underscore = KNOWN.replace("rh_live_A", "rh_live__");
        let wide = format!("rh_live_{}", "é".repeat(29));
        for text in ["", "rh_", "rh_live_", "sk-proj-abc", short, &long, &spaced, &mode, &underscore, &wide] {
            assert_eq!(parse(text).err(), Some(InvalidKey::Form), "{text}");
        }
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = parse(KNOWN).expect("a good key");
        assert_eq!(format!("{key:?} {:?}", Some(&key)), "*** Some(***)");
        assert!(!InvalidKey::Checksum.to_string().contains("AbCd"));
    }

    #[test]
    fn public_ids_are_text_in_json() {
        let id: PublicId = "AbCdEfGh".parse().expect("a good id");
        let json = serde_json::to_string(&id).expect("ids serialise");
        assert_eq!(json, "\"AbCdEfGh\"");
        assert_eq!(serde_json::from_str::<PublicId>(&json).expect("ids parse"), id);
        for wrong in ["", "AbCdEfG", "AbCdEfGhi", "AbCdEf_h", "AbCdEf\u{e9}"] {
            assert_eq!(wrong.parse::<PublicId>(), Err(InvalidPublicId), "{wrong}");
        }
    }
}
