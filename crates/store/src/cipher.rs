//! What people write, sealed on PostgreSQL under their organisation's own key. A file is encrypted whole, so there it stands as it is.
//!
//! One cipher is made for an organisation and kept for as long as it is used, since a page of passages is thousands of values. A sealed
//! value is a byte for its form, a nonce, and AES-256-GCM bound to the organisation, table, column and row: it opens nowhere else.
//! What must be found by equality, a stem or a name, stands there as a keyed hash.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Ambient, Id, OrgId};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::keys::Secret;

/// The form of what is sealed; one of another form would be read beside it.
const FORM: u8 = 1;
/// Bytes of the hash of a stem: enough for a million stems of an organisation to be told apart.
const WORD: usize = 6;
/// Bytes of the hash of a name: no two names have the same.
const NAME: usize = 16;
/// How long a cipher is kept that nobody uses, and how many at most; one takes about two kilobytes.
const KEPT: Duration = Duration::from_mins(10);
const MOST: u64 = 20_000;

/// The ciphers of the organisations that were used last.
pub(crate) type Ciphers = moka::sync::Cache<OrgId, std::sync::Arc<Cipher>>;

/// No cipher yet.
pub(crate) fn ciphers() -> Ciphers {
    moka::sync::Cache::builder().max_capacity(MOST).time_to_idle(KEPT).build()
}

/// Seals and opens what the people of one organisation write.
pub(crate) struct Cipher {
    org: OrgId,
    ambient: Ambient,
    texts: sealing::Cipher,
    words: Hmac<Sha256>,
    names: Hmac<Sha256>,
}

impl Cipher {
    pub(crate) fn new(org: OrgId, key: &Secret, ambient: Ambient) -> Self {
        let keyed = |label: &str| {
            <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key.derive(label).as_slice())
                .expect("HMAC takes keys of any length")
        };
        let texts = sealing::Cipher::new(&key.derive("texts"));
        Self { org, ambient, texts, words: keyed("words"), names: keyed("names") }
    }

    /// Seals bytes for one place.
    pub(crate) fn seal(&self, place: &Place<'_>, bytes: &[u8]) -> Vec<u8> {
        let sealed = self.texts.seal(self.ambient.bytes(), &place.bytes(self.org), bytes);
        [&[FORM], &*sealed].concat()
    }

    /// Opens what [`Cipher::seal`] made for the same place.
    /// # Errors
    /// [`Error::Sealed`] when it does not open.
    pub(crate) fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let (form, sealed) = sealed.split_first().ok_or(Error::Sealed("nothing"))?;
        if *form != FORM {
            return Err(Error::Sealed("a form that is not known"));
        }
        let opened = self.texts.open(&place.bytes(self.org), sealed);
        opened.ok_or(Error::Sealed("another organisation, another place, or changed bytes"))
    }

    /// The stand-in of a stem in the index of words: eight letters.
    pub(crate) fn word(&self, stem: &str) -> String {
        URL_SAFE_NO_PAD.encode(&hash(&self.words, stem)[..WORD])
    }

    /// The stand-in of what is looked for as a whole in a column.
    pub(crate) fn name(&self, column: &str, name: &str) -> String {
        URL_SAFE_NO_PAD.encode(&hash(&self.names, &format!("{column}\0{name}"))[..NAME])
    }
}

fn hash(keyed: &Hmac<Sha256>, text: &str) -> [u8; 32] {
    let mut mac = keyed.clone();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Where a sealed value stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// The values of the row's key, one after the other.
    pub(crate) key: &'a [u8],
}

impl Place<'_> {
    /// Two places have the same bytes when they are the same: names have no zero in them, and keys of a table are of one length.
    fn bytes(&self, org: OrgId) -> Vec<u8> {
        let org = org.uuid();
        let parts: [&[u8]; 6] = [org.as_bytes(), self.table.as_bytes(), &[0], self.column.as_bytes(), &[0], self.key];
        parts.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher(org: u128, key: &Secret) -> Cipher {
        Cipher::new(OrgId::from_uuid(uuid::Uuid::from_u128(org)), key, Ambient::system())
    }

    #[test]
    fn a_text_opens_in_its_own_place_under_its_own_key_only() {
        let key = Secret::random(&Ambient::system());
        let own = cipher(1, &key);
        let place = Place { table: "chunks", column: "text", key: &[7; 16] };
        let sealed = own.seal(&place, b"what she said");
        assert!(!sealed.windows(4).any(|part| part == b"what"));
        assert_eq!(own.open(&place, &sealed).expect("opens"), b"what she said");
        assert_ne!(own.seal(&place, b"what she said"), sealed, "the same text is not the same bytes");
        for elsewhere in [
            Place { table: "messages", ..place },
            Place { column: "heading", ..place },
            Place { key: &[8; 16], ..place },
            Place { key: &[], ..place },
        ] {
            assert!(own.open(&elsewhere, &sealed).is_err(), "{elsewhere:?}");
        }
        assert!(cipher(2, &key).open(&place, &sealed).is_err(), "of another organisation");
        assert!(cipher(1, &Secret::random(&Ambient::system())).open(&place, &sealed).is_err(), "under another key");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(own.open(&place, &changed).is_err(), "byte {at}");
        }
        for cut in 0..sealed.len() {
            assert!(own.open(&place, &sealed[..cut]).is_err(), "{cut} bytes");
        }
    }

    #[test]
    fn the_stand_in_of_a_word_says_the_same_under_one_key_alone() {
        let (one, other) = (Secret::random(&Ambient::system()), Secret::random(&Ambient::system()));
        assert_eq!(cipher(1, &one).word("wolv"), cipher(1, &one).word("wolv"));
        assert_ne!(cipher(1, &one).word("wolv"), cipher(1, &one).word("wolf"));
        assert_ne!(cipher(1, &one).word("wolv"), cipher(1, &other).word("wolv"));
        let word = cipher(1, &one).word("wolv");
        assert!(word.len() == 8 && word.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'), "{word}");
        let name = cipher(1, &one).name("tags", "wolv");
        assert!(name.len() == 22 && !name.starts_with(&word), "{name}");
        assert_ne!(cipher(1, &one).name("name", "wolv"), name, "in another column");
        assert_ne!(cipher(1, &other).name("tags", "wolv"), name);
    }
}
