//! A password's hash that another system made: taken when it can be verified here, at a cost that this machine can bear.

use argon2::Params;
use argon2::password_hash::phc::{Output, PasswordHash};
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use crate::{Error, Result};

/// The highest cost of bcrypt that is taken: about a second of a core for each sign-in.
const BCRYPT_COST: std::ops::RangeInclusive<u32> = 4..=14;
/// The most memory of argon2 that is taken, in KiB: 256 MiB, what libsodium calls moderate.
const MEMORY_KIB: u32 = 256 * 1024;
/// The most work of argon2 that is taken: memory in KiB times passes; a few seconds of a core.
const WORK: u64 = 1024 * 1024;
/// The most lanes of argon2 that are taken; they run one after the other here.
const LANES: u32 = 16;
/// Fewest bytes of a hash of argon2: a shorter one would let other passwords in.
const OUTPUT: usize = 16;
/// How bcrypt writes bytes.
const BASE64: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::BCRYPT, NO_PAD);
/// Fewest bytes of a salt of argon2, by its standard.
const SALT: usize = 8;

/// A hash of a form and a cost that can be verified here. `Debug` prints `***`.
#[derive(Clone)]
pub struct ImportedHash(String);

impl std::fmt::Debug for ImportedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl ImportedHash {
    /// Checks a hash in PHC form (argon2id, version 19) or in bcrypt's (`2a`, `2b`, `2y`).
    /// # Errors
    /// [`Error::Invalid`] names the rule that is broken and repeats nothing of the hash.
    pub fn new(text: &str) -> Result<Self> {
        let checked = if text.starts_with("$2") { bcrypt(text) } else { argon2id(text) };
        let invalid = |rule: &str| Error::Invalid { field: "password_hash", rule: rule.to_owned() };
        checked.map(|()| Self(text.to_owned())).map_err(invalid)
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

fn bcrypt(text: &str) -> Result<(), &'static str> {
    const FORM: &str = "must be a bcrypt hash such as $2b$12$ and 53 characters";
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|version| text.strip_prefix(version)).ok_or(FORM)?;
    let (cost, rest) = rest.split_once('$').ok_or(FORM)?;
    let two_digits = cost.len() == 2 && cost.bytes().all(|b| b.is_ascii_digit());
    // Decoded as the verification will do it, which takes no spare bits.
    let decodes = |part: Option<&str>| part.is_some_and(|part| BASE64.decode(part).is_ok());
    if !two_digits || rest.len() != 53 || !decodes(rest.get(..22)) || !decodes(rest.get(22..)) {
        return Err(FORM);
    }
    let bearable = cost.parse().is_ok_and(|cost| BCRYPT_COST.contains(&cost));
    if bearable { Ok(()) } else { Err("must have a bcrypt cost from 4 to 14") }
}

fn argon2id(text: &str) -> Result<(), &'static str> {
    const FORM: &str =
        "must be an argon2id hash such as $argon2id$v=19$m=19456,t=2,p=1$ with salt and hash, or a bcrypt hash";
    let hash = PasswordHash::new(text).map_err(|_| FORM)?;
    if hash.algorithm.as_str() != "argon2id" || hash.version != Some(19) {
        return Err(FORM);
    }
    let params = Params::try_from(&hash).map_err(|_| FORM)?;
    let salt = hash.salt.as_ref().map_or(0, |salt| salt.len());
    let output = hash.hash.as_ref().map_or(0, Output::len);
    if salt < SALT || output < OUTPUT {
        return Err("must have a salt of 8 bytes and a hash of 16 bytes at least");
    }
    let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
    let bearable = params.m_cost() <= MEMORY_KIB && work <= WORK && params.p_cost() <= LANES;
    if bearable { Ok(()) } else { Err("must cost no more than 256 MiB, 1 GiB over all passes, and 16 lanes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<String> {
        ImportedHash::new(text).err().map(|error| error.to_string())
    }

    #[test]
    fn hashes_of_other_systems_are_taken() {
        for hash in [
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2y$14$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            // Django's and libsodium's parameters.
            "$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=262144,t=3,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            assert_eq!(refusal(hash), None, "{hash}");
        }
    }

    #[test]
    fn all_else_is_refused_and_never_repeated() {
        for hash in [
            "",
            "secret",
            "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
            "$6$rounds=5000$saltsalt$secret",
            "$2x$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$+5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$12$CCCCCCCCCCCCCCCCCCCCCCE5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
            "$2b$12$CCCCCCCCCCCCCCCCCCCCéE5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=16$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=19456,t=2,p=1$c29t$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFQ",
            "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=262144,t=5,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=19456,t=2,p=17$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            let why = refusal(hash).unwrap_or_else(|| panic!("{hash} was taken"));
            assert!(!why.contains("CCCC") && !why.contains("secret") && !why.contains("c29t"), "{why}");
        }
        let taken = ImportedHash::new("$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").expect("taken");
        assert_eq!(format!("{taken:?}"), "***");
    }
}
