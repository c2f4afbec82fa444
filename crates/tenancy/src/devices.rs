//! Known devices: a browser in which somebody has signed in before carries a signed mark of it. The mark lets nobody in; it spares its
//! owner the waits that strangers cause by guessing at the account from elsewhere.

use std::time::Duration;

use domain::{Time, UserId};
use store::keys::sha256;

use crate::House;

/// How long a device is known after the last sign-in in it (security facts, section 5.2).
pub const KNOWN: Duration = Duration::from_hours(365 * 24);

/// Marks a device in which somebody has signed in, for them alone: `person.device.end.signature`.
#[must_use]
pub fn mark(house: &House, user: UserId) -> String {
    let ambient = house.store.ambient();
    let named = format!("{user}.{}.{}", hex(&ambient.bytes::<16>()), (ambient.now() + KNOWN).seconds());
    let signature = sign(house, &named);
    format!("{named}.{signature}")
}

/// The name of the device, if the mark is one of this installation for this person and still holds.
pub(crate) fn recognise(house: &House, mark: &str, user: UserId, now: Time) -> Option<String> {
    let (named, signature) = mark.rsplit_once('.')?;
    // Hashes are compared, so that the time it takes tells nothing.
    if sha256(signature) != sha256(sign(house, named)) {
        return None;
    }
    let mut parts = named.split('.');
    let (owner, device, until) = (parts.next()?, parts.next()?, parts.next()?.parse::<i64>().ok()?);
    (owner == user.to_string() && now.seconds() < until).then(|| device.to_owned())
}

fn sign(house: &House, named: &str) -> String {
    hex(&house.store.fingerprint("known device", named.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
