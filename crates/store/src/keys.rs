//! Keys and sealing: the master keys outside the data directory, the house key, and a key per organisation.
//!
//! The master key wraps the house key and each organisation's key; nothing else is encrypted under it, so a change of the master
//! key rewraps a list and touches no data. All other keys are derived by HKDF-SHA-256 (RFC 5869) with a label each. Sealing is
//! AES-256-GCM with a random nonce, bound to its place: a sealed value opens nowhere else.

use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Ambient, Id, OrgId};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::setup::hex;

/// SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// 256 secret bits; wiped when dropped, never printed.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Secret {
    pub(crate) fn random(ambient: &Ambient) -> Self {
        Self(Zeroizing::new(ambient.bytes()))
    }

    fn from_slice(bytes: &[u8]) -> Result<Self> {
        let bytes = bytes.try_into().map_err(|_| Error::Sealed("a key of the wrong length"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// A key for one purpose.
    pub(crate) fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, self.0.as_slice())
            .expand(label.as_bytes(), key.as_mut_slice())
            .expect("32 bytes are within what HKDF-SHA-256 gives");
        key
    }

    /// Seals bytes for one place.
    pub(crate) fn seal(&self, ambient: &Ambient, place: &str, bytes: &[u8]) -> Vec<u8> {
        let nonce: [u8; 12] = ambient.bytes();
        seal(&self.derive("seal"), nonce, place, bytes)
    }

    /// Opens what [`Secret::seal`] made for the same place.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        open(&self.derive("seal"), place, sealed)
    }

    /// HMAC-SHA-256 under a derived key.
    pub(crate) fn mac(&self, label: &str, bytes: &[u8]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.derive(label).as_slice())
            .expect("HMAC takes keys of any length");
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

fn seal(key: &[u8; 32], nonce: [u8; 12], place: &str, bytes: &[u8]) -> Vec<u8> {
    sealing::seal(key, nonce, place.as_bytes(), bytes)
}

fn open(key: &[u8; 32], place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let opened = sealing::open(key, place.as_bytes(), sealed).map(Zeroizing::new);
    opened.ok_or(Error::Sealed("another key, another place, or changed bytes"))
}

/// The name of a master key: the first four bytes of its SHA-256.
type KeyName = [u8; 4];

/// The master keys: a file of lines `rowhouse-master-1 <base64 of 32 bytes>`, the newest last. All of them unwrap; which one wraps the
/// control database says.
#[derive(Debug)]
pub struct MasterKeys {
    path: PathBuf,
    keys: Vec<(KeyName, Secret)>,
}

const HEADER: &str = "rowhouse-master-1";

impl MasterKeys {
    /// Reads the file.
    /// # Errors
    /// [`Error::Setup`] when it is missing or holds no good key.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| Error::Setup(format!("the master key file {} cannot be read: {error}", path.display())))?;
        let mut keys = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let bytes =
                line.strip_prefix(HEADER).and_then(|rest| STANDARD.decode(rest.trim()).ok()).map(Zeroizing::new);
            let key = bytes.and_then(|bytes| Secret::from_slice(&bytes).ok());
            let key = key.ok_or_else(|| {
                Error::Setup(format!(
                    "the master key file {} must hold lines of the form `{HEADER} <base64 of 32 random bytes>`",
                    path.display()
                ))
            })?;
            keys.push((name_of(&key), key));
        }
        if keys.is_empty() {
            return Err(Error::Setup(format!("the master key file {} is empty", path.display())));
        }
        Ok(Self { path: path.to_owned(), keys })
    }

    /// Makes a new file with one key, readable by its owner alone.
    /// # Errors
    /// [`Error::Setup`] when the file exists or cannot be written.
    pub fn create(path: &Path, ambient: &Ambient) -> Result<Self> {
        let key = Secret::random(ambient);
        let keys = Self { path: path.to_owned(), keys: vec![(name_of(&key), key)] };
        if path.exists() {
            return Err(Error::Setup(format!("{} exists already", path.display())));
        }
        keys.write()?;
        Ok(keys)
    }

    /// Adds a key that wraps from now on, and writes the file.
    /// # Errors
    /// [`Error::Setup`] when the file cannot be written.
    pub fn add(&mut self, ambient: &Ambient) -> Result<()> {
        let key = Secret::random(ambient);
        self.keys.push((name_of(&key), key));
        self.write()
    }

    /// Takes over what the file holds now, and keeps of what was known the keys that are still needed.
    pub(crate) fn adopt(&mut self, fresh: Self, needed: &[String]) {
        let known = std::mem::replace(&mut self.keys, fresh.keys);
        let lost = known.into_iter().filter(|(name, _)| needed.contains(&hex(name)) && !self.knows(&hex(name)));
        let lost: Vec<_> = lost.collect();
        self.keys.splice(0..0, lost);
    }

    /// The name of the newest key.
    pub(crate) fn newest(&self) -> String {
        self.keys.last().map(|(name, _)| hex(name)).unwrap_or_default()
    }

    /// Whether the file holds a key.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.keys.iter().any(|(known, _)| hex(known) == name)
    }

    /// How many keys the file holds.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&self) -> Result<()> {
        let mut text = Zeroizing::new(String::new());
        for (_, key) in &self.keys {
            text.push_str(&format!("{HEADER} {}\n", STANDARD.encode(key.0.as_slice())));
        }
        write_private(&self.path, text.as_bytes())
    }

    /// Wraps a key under the master key with this name.
    pub(crate) fn wrap(&self, under: &str, ambient: &Ambient, place: &str, key: &Secret) -> Result<Vec<u8>> {
        let named = self.keys.iter().find(|(name, _)| hex(name) == under);
        let (name, master) = named.ok_or_else(|| self.lacks(under))?;
        let sealed = seal(&master.derive("wrap"), ambient.bytes(), place, key.0.as_slice());
        Ok([name.as_slice(), &sealed].concat())
    }

    /// What to say when data is wrapped under a key that the file does not hold.
    pub(crate) fn lacks(&self, name: &str) -> Error {
        Error::Setup(format!(
            "the master key file {} lacks the key {name}, under which data is wrapped: copy the file from where the key was made",
            self.path.display()
        ))
    }

    pub(crate) fn unwrap(&self, place: &str, wrapped: &[u8]) -> Result<Secret> {
        let (name, sealed) =
            wrapped.split_first_chunk::<4>().ok_or(Error::Sealed("a wrapped key that is too short"))?;
        let (_, master) = self.keys.iter().find(|(known, _)| known == name).ok_or_else(|| {
            Error::Setup(format!(
                "the master key file {} is not the one that this data was made with; set ROWHOUSE_MASTER_KEY_FILE to the right one",
                self.path.display()
            ))
        })?;
        Secret::from_slice(&open(&master.derive("wrap"), place, sealed)?)
    }
}

/// The name of the master key under which a key is wrapped.
pub(crate) fn wrapped_by(wrapped: &[u8]) -> String {
    hex(wrapped.get(..4).unwrap_or_default())
}

fn name_of(key: &Secret) -> KeyName {
    let hash = sha256(key.derive("name"));
    [hash[0], hash[1], hash[2], hash[3]]
}

/// The place an organisation's wrapped key is bound to.
pub(crate) fn place_of(org: OrgId) -> String {
    format!("organisation {}", org.uuid())
}

/// The place the house key is bound to.
pub(crate) const HOUSE: &str = "house";

/// Writes a file that its owner alone can read, whole or not at all, durably.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let write = || -> std::io::Result<()> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_private_folder(folder)?;
        let draft = path.with_extension("draft");
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)?;
        std::fs::File::open(folder)?.sync_all()
    };
    write().map_err(|error| Error::Setup(format!("{} cannot be written: {error}", path.display())))
}

/// Makes a folder that its owner alone can enter; leaves one that exists as it is.
pub(crate) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_in_its_place_only() {
        let ambient = Ambient::system();
        let secret = Secret::random(&ambient);
        let sealed = secret.seal(&ambient, "people/totp/1", b"seed");
        assert_eq!(secret.open("people/totp/1", &sealed).expect("opens").as_slice(), b"seed");
        assert!(secret.open("people/totp/2", &sealed).is_err());
        let mut changed = sealed.clone();
        changed[20] ^= 1;
        assert!(secret.open("people/totp/1", &changed).is_err());
        assert!(Secret::random(&ambient).open("people/totp/1", &sealed).is_err());
        assert!(secret.open("people/totp/1", &sealed[..5]).is_err());
    }

    #[test]
    fn a_new_master_key_rewraps_and_the_old_one_still_opens() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys/master.key");
        let ambient = Ambient::system();
        let mut master = MasterKeys::create(&path, &ambient).expect("made");
        assert!(MasterKeys::create(&path, &ambient).is_err(), "an existing file is never replaced");
        let secret = Secret::random(&ambient);
        let first = master.newest();
        let old = master.wrap(&first, &ambient, "house", &secret).expect("wrapped");
        master.add(&ambient).expect("added");
        let second = master.newest();
        assert_eq!(wrapped_by(&old), first);
        let key = master.unwrap("house", &old).expect("the old key still unwraps");
        let new = master.wrap(&second, &ambient, "house", &key).expect("wrapped");
        assert_eq!(wrapped_by(&new), second);
        let again = MasterKeys::load(&path).expect("loads");
        assert_eq!((again.count(), again.newest()), (2, second));
        assert_eq!(again.unwrap("house", &new).expect("unwraps").0, secret.0);
        assert_eq!(again.unwrap("house", &old).expect("a backup, or another house").0, secret.0);
        assert!(again.unwrap("elsewhere", &new).is_err());
        assert!(
            MasterKeys::create(&folder.path().join("other"), &ambient).expect("made").unwrap("house", &old).is_err()
        );
    }

    #[test]
    fn what_the_file_lost_is_kept_as_long_as_it_is_needed() {
        let folder = tempfile::tempdir().expect("a folder");
        let ambient = Ambient::system();
        let make = |name: &str| MasterKeys::create(&folder.path().join(name), &ambient).expect("made");
        let (mut known, other, third) = (make("a"), make("b"), make("c"));
        let (first, second, last) = (known.newest(), other.newest(), third.newest());
        known.adopt(other, std::slice::from_ref(&first));
        assert!(known.knows(&first) && known.newest() == second);
        known.adopt(third, &[]);
        assert!(!known.knows(&first) && !known.knows(&second) && known.newest() == last);
    }
}
