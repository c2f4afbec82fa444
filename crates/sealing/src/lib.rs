//! AES-256-GCM (NIST SP 800-38D) over whole messages, and nothing else: what is compiled here is optimised in every build
//! (`Cargo.toml`, `profile.dev`), because the cipher's generic parts are compiled where they are used, and a loop over blocks without
//! optimisation seals a few MB a second.

use aes_gcm::aead::{Aead, AeadInOut, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};

/// The bytes of a nonce. None may come twice under a key.
pub const NONCE: usize = 12;
/// The bytes of a tag.
const TAG: usize = 16;

/// A cipher with its key, for whoever seals and opens much under one: making it takes longer than a short message.
pub struct Cipher(Aes256Gcm);

impl Cipher {
    /// The cipher under a key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// A message bound to a place: the nonce, what was enciphered, and a tag of 16 bytes.
    #[must_use]
    pub fn seal(&self, nonce: [u8; NONCE], place: &[u8], message: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(NONCE + message.len() + TAG);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(message);
        let tag = self
            .0
            .encrypt_inout_detached(&Nonce::from(nonce), place, (&mut sealed[NONCE..]).into())
            .expect("AES-GCM takes any message that fits in memory");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// The message that [`Cipher::seal`] was given; none under another key, for another place, or when a byte is another.
    #[must_use]
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        self.0.decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: place }).ok()
    }
}

/// A message under a key, as [`Cipher::seal`] gives it.
#[must_use]
pub fn seal(key: &[u8; 32], nonce: [u8; NONCE], place: &[u8], message: &[u8]) -> Vec<u8> {
    Cipher::new(key).seal(nonce, place, message)
}

/// The message that [`seal`] was given, as [`Cipher::open`] gives it.
#[must_use]
pub fn open(key: &[u8; 32], place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    Cipher::new(key).open(place, sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number as its bytes, from hexadecimal digits.
    fn bytes(digits: &str) -> Vec<u8> {
        let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
        pairs.map(|pair| u8::from_str_radix(pair, 16).expect("a number")).collect()
    }

    // Test case 16 of the paper by David McGrew and John Viega, "The Galois/Counter Mode of Operation", appendix B.
    #[test]
    fn it_is_the_cipher_that_others_know() {
        let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let key: [u8; 32] = key.try_into().expect("32 bytes");
        let nonce = bytes("cafebabefacedbaddecaf888").try_into().expect("12 bytes");
        let message = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let place = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let sealed = seal(&key, nonce, &place, &message);
        assert_eq!(
            sealed[NONCE..],
            bytes(
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
            )
        );
        assert_eq!(open(&key, &place, &sealed), Some(message));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&key, &place, &changed), None, "byte {at}");
            assert_eq!(open(&key, &place, &sealed[..at]), None, "cut after {at}");
        }
        assert_eq!(open(&key, b"another place", &sealed), None);
    }
}
