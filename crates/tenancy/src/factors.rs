//! The second factor: codes that change every half minute (RFC 6238), and recovery codes for who has lost them.

use domain::email::Email;
use domain::secret::SecretText;
use domain::{SessionId, UserId};
use store::audit::Event;
use store::control::people::{self, Person};
use store::control::{mails, recovery_codes, sessions};
use store::{ControlTx, Origin, Turn};
use totp_rs::{Secret, Totp};

use crate::letters::Factor;
use crate::passwords::Verdict;
use crate::{Error, House, Result, letters, login, throttle};

/// How many recovery codes make a set.
const CODES: usize = 10;
/// Letters and digits that cannot be taken for each other (Crockford's base 32); five bits each.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// A recovery code without its dashes: the place of its hash, then 80 bits.
const CODE_LENGTH: usize = 1 + 16;

/// A second factor that waits for its first code.
#[derive(Debug)]
pub struct Enrolment {
    /// The seed in base 32, to be typed into an authenticator.
    pub secret: String,
    /// The same as an address, to be shown as a picture.
    pub url: String,
}

fn totp(seed: &[u8]) -> Result<Totp> {
    // Six digits, thirty seconds, SHA-1, one step to either side: what every authenticator knows.
    totp_rs::Builder::new()
        .with_secret(seed.to_vec())
        .build()
        .map_err(|error| store::Error::Bug(error.to_string()).into())
}

fn place(user: UserId) -> String {
    format!("person {user} totp")
}

/// Makes a seed for a second factor; it is on after its first code was shown.
/// # Errors
/// [`Error::Conflict`] when it is on already.
pub async fn enrol(house: &House, user: UserId, origin: &Origin) -> Result<Enrolment> {
    let seed = house.store.ambient().bytes::<20>();
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let mut person = people::get(&mut tx, user).await?;
    if person.totp_on_at.is_some() {
        return Err(Error::Conflict("The second factor is on already; turn it off first.".into()));
    }
    person.totp_seed = Some(house.store.seal(&place(user), &seed));
    person.totp_step = None;
    people::update(&mut tx, &person).await?;
    login::record_everywhere(&mut tx, &person, origin, &Event::new("second_factor.prepared", user)).await?;
    tx.commit().await?;
    let secret = Secret::from(seed.to_vec()).to_base32();
    let url = otpauth(&person.email, &secret);
    Ok(Enrolment { secret, url })
}

/// The address that authenticators read from a picture.
fn otpauth(email: &Email, secret: &str) -> String {
    let mut account = String::new();
    for byte in email.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            account.push(char::from(byte));
        } else {
            account.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("otpauth://totp/Rowhouse:{account}?secret={secret}&issuer=Rowhouse&algorithm=SHA1&digits=6&period=30")
}

/// Turns the second factor on with its first code; gives the recovery codes. Other sessions end.
/// # Errors
/// [`Error::Credentials`] when the code is wrong; [`Error::Conflict`] when no factor waits for one; [`Error::Throttled`] after too
/// many wrong ones.
pub async fn confirm(
    house: &House,
    user: UserId,
    session: SessionId,
    code: &SecretText,
    origin: &Origin,
) -> Result<Vec<String>> {
    let person = login::person(house, user).await?;
    if person.totp_seed.is_none() || person.totp_on_at.is_some() {
        return Err(Error::Conflict("No second factor waits for its first code: POST /api/v1/auth/totp first.".into()));
    }
    throttle::charge_code(house, user).await?;
    let Some(step) = matching_step(house, &person, code)? else {
        login::refused(house, Some(user), "code", origin).await?;
        return Err(Error::Credentials);
    };
    let (codes, hashes) = new_codes(house).await?;
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let mut now = people::get(&mut tx, user).await?;
    if now.totp_seed != person.totp_seed || now.totp_on_at.is_some() {
        return Err(Error::Conflict("The second factor was changed meanwhile; begin anew.".into()));
    }
    (now.totp_on_at, now.totp_step) = (Some(house.store.ambient().now()), Some(step));
    people::update(&mut tx, &now).await?;
    throttle::code_was_right(&mut tx, house, user).await?;
    recovery_codes::replace(&mut tx, user, &hashes).await?;
    changed(house, tx, &now, session, Factor::On, origin).await?;
    Ok(codes)
}

/// Turns the second factor off, with a code. Other sessions end.
/// # Errors
/// [`Error::Credentials`] when the code is wrong; [`Error::Conflict`] when it is off.
pub async fn turn_off(
    house: &House,
    user: UserId,
    session: SessionId,
    code: &SecretText,
    origin: &Origin,
) -> Result<()> {
    let person = login::person(house, user).await?;
    is_on(&person)?;
    prove_code(house, &person, code, origin).await?;
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let mut person = people::get(&mut tx, user).await?;
    (person.totp_seed, person.totp_on_at, person.totp_step) = (None, None, None);
    people::update(&mut tx, &person).await?;
    recovery_codes::remove(&mut tx, user).await?;
    changed(house, tx, &person, session, Factor::Off, origin).await
}

/// Makes a new set of recovery codes, with a code: else a password alone would be enough to get at the second factor. The codes before are
/// void. Other sessions end.
/// # Errors
/// [`Error::Credentials`] when the code is wrong; [`Error::Conflict`] when the second factor is off.
pub async fn renew_codes(
    house: &House,
    user: UserId,
    session: SessionId,
    code: &SecretText,
    origin: &Origin,
) -> Result<Vec<String>> {
    let person = login::person(house, user).await?;
    is_on(&person)?;
    prove_code(house, &person, code, origin).await?;
    let (codes, hashes) = new_codes(house).await?;
    let mut tx = house.store.begin_control(Turn::Person(user)).await?;
    let person = people::get(&mut tx, user).await?;
    is_on(&person)?;
    recovery_codes::replace(&mut tx, user, &hashes).await?;
    changed(house, tx, &person, session, Factor::NewCodes, origin).await?;
    Ok(codes)
}

fn is_on(person: &Person) -> Result<()> {
    match person.totp_on_at {
        Some(_) => Ok(()),
        None => Err(Error::Conflict("The second factor is off.".into())),
    }
}

/// What follows from each change of the second factor.
async fn changed(
    house: &House,
    mut tx: ControlTx,
    person: &Person,
    keep: SessionId,
    change: Factor,
    origin: &Origin,
) -> Result<()> {
    sessions::revoke_all(&mut tx, person.id, Some(keep)).await?;
    mails::queue(&mut tx, letters::factor_changed(house, person, change, origin)).await?;
    let action = match change {
        Factor::On => "second_factor.on",
        Factor::Off => "second_factor.off",
        Factor::NewCodes => "second_factor.new_codes",
    };
    login::record_everywhere(&mut tx, person, origin, &Event::new(action, person.id)).await?;
    Ok(tx.commit().await?)
}

/// As [`check_code`], and records a refusal: for somebody who is signed in.
pub(crate) async fn prove_code(house: &House, person: &Person, code: &SecretText, origin: &Origin) -> Result<()> {
    let checked = match person.totp_on_at {
        Some(_) => check_code(house, person, code, origin).await,
        None => Err(Error::Credentials),
    };
    if let Err(Error::Credentials) = checked {
        login::refused(house, Some(person.id), "code", origin).await?;
    }
    checked
}

/// Uses up a code of somebody whose second factor is on, or a recovery code.
/// # Errors
/// [`Error::Credentials`] when it is wrong or was used before; [`Error::Throttled`] after too many wrong ones.
pub(crate) async fn check_code(house: &House, person: &Person, code: &SecretText, origin: &Origin) -> Result<()> {
    throttle::charge_code(house, person.id).await?;
    let plain: String =
        code.expose().chars().filter(|c| *c != '-' && *c != ' ').map(|c| c.to_ascii_lowercase()).collect();
    if plain.len() == CODE_LENGTH {
        return use_recovery_code(house, person, &plain, origin).await;
    }
    let step = matching_step(house, person, code)?.ok_or(Error::Credentials)?;
    let mut tx = house.store.begin_control(Turn::Person(person.id)).await?;
    if !people::use_step(&mut tx, person.id, step).await? {
        return Err(Error::Credentials);
    }
    throttle::code_was_right(&mut tx, house, person.id).await?;
    Ok(tx.commit().await?)
}

/// The time step that a code is for: this one, the one before or the one after.
fn matching_step(house: &House, person: &Person, code: &SecretText) -> Result<Option<i64>> {
    let Some(sealed) = &person.totp_seed else { return Ok(None) };
    let seed = house.store.unseal(&place(person.id), sealed)?;
    let now = u64::try_from(house.store.ambient().now().seconds()).unwrap_or(0);
    let code: String = code.expose().chars().filter(|c| *c != ' ').collect();
    Ok(totp(&seed)?.check(&code, now).and_then(|step| i64::try_from(step).ok()))
}

async fn use_recovery_code(house: &House, person: &Person, plain: &str, origin: &Origin) -> Result<()> {
    let place = plain.chars().next().and_then(|digit| digit.to_digit(10)).ok_or(Error::Credentials)?.into();
    let mut tx = house.store.read_control().await?;
    let hash = recovery_codes::find(&mut tx, person.id, place).await?;
    drop(tx);
    if house.passwords.verify(plain, hash.clone()).await? == Verdict::Wrong {
        return Err(Error::Credentials);
    }
    let mut tx = house.store.begin_control(Turn::Person(person.id)).await?;
    if !recovery_codes::take(&mut tx, person.id, place, &hash.unwrap_or_default()).await? {
        return Err(Error::Credentials);
    }
    let left = recovery_codes::count(&mut tx, person.id).await?;
    throttle::code_was_right(&mut tx, house, person.id).await?;
    mails::queue(&mut tx, letters::recovery_code_used(house, person, left, origin)).await?;
    let event = Event::new("second_factor.recovery_code_used", person.id);
    login::record_everywhere(&mut tx, person, origin, &event).await?;
    Ok(tx.commit().await?)
}

/// A new set of recovery codes, as they are shown once, and their hashes.
async fn new_codes(house: &House) -> Result<(Vec<String>, Vec<String>)> {
    let (mut codes, mut hashes) = (Vec::new(), Vec::new());
    for place in 0..CODES {
        let letters = house.store.ambient().bytes::<16>().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        let code = format!("{place}-{}", groups.join("-"));
        hashes.push(house.passwords.hash(&code.replace('-', "")).await?);
        codes.push(code);
    }
    Ok((codes, hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238 appendix B, SHA-1, cut to six digits.
        let totp = totp(b"12345678901234567890").expect("a good seed");
        assert_eq!(totp.check("287082", 59), Some(1));
        assert_eq!(totp.check("287082", 89), Some(1), "one step late");
        assert_eq!(totp.check("287082", 90), None, "two steps late");
        assert_eq!(totp.check("081804", 1_111_111_109), Some(37_037_036));
    }

    #[test]
    fn addresses_are_written_for_authenticators() {
        let email = Email::new("ann+home@example.com").expect("a good address");
        let url = otpauth(&email, "ABC");
        assert!(
            url.starts_with("otpauth://totp/Rowhouse:ann%2Bhome%40example.com?secret=ABC&issuer=Rowhouse"),
            "{url}"
        );
    }
}
