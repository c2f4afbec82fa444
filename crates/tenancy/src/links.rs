//! Single-use links that go out by mail: their secrets are in the letters, their hashes in the store.

use std::time::Duration;

use domain::email::Email;
use domain::secret::SecretText;
use domain::{Time, UserId};
use store::ControlTx;
use store::control::tickets::{self, NewTicket, Purpose, Ticket};
use store::keys::sha256;

use crate::orgs::GRACE;
use crate::{Error, House, Result, login};

/// How long a link of each kind holds.
fn lifetime(purpose: Purpose) -> Duration {
    match purpose {
        Purpose::Reset => Duration::from_hours(1),
        Purpose::Verify | Purpose::ChangeEmail => Duration::from_hours(24),
        Purpose::UndoEmail => Duration::from_hours(72),
        Purpose::KeepAccount => GRACE,
    }
}

/// Makes a link about a person and an address; gives its secret, and when it ends.
pub(crate) async fn issue(
    house: &House,
    tx: &mut ControlTx,
    purpose: Purpose,
    user: UserId,
    email: &Email,
) -> Result<(String, Time)> {
    issue_for(house, tx, purpose, user, email, lifetime(purpose)).await
}

/// As [`issue`], for a link that holds longer or shorter than its kind usually does.
pub(crate) async fn issue_for(
    house: &House,
    tx: &mut ControlTx,
    purpose: Purpose,
    user: UserId,
    email: &Email,
    lifetime: Duration,
) -> Result<(String, Time)> {
    let secret = login::new_secret(house);
    let ambient = house.store.ambient();
    let expires_at = ambient.now() + lifetime;
    let ticket = NewTicket { id: ambient.id(), purpose, user, email: email.clone(), hash: sha256(&secret), expires_at };
    tickets::insert(tx, &ticket).await?;
    Ok((secret, expires_at))
}

/// Looks at a link before it is used, so that a useless one costs nothing more.
pub(crate) async fn find(house: &House, purpose: Purpose, token: &SecretText) -> Result<Ticket> {
    let mut tx = house.store.read_control().await?;
    tickets::find(&mut tx, purpose, &sha256(token.expose())).await?.ok_or(Error::Ticket)
}

/// Uses a link up.
pub(crate) async fn take(tx: &mut ControlTx, purpose: Purpose, token: &SecretText) -> Result<Ticket> {
    tickets::take(tx, purpose, &sha256(token.expose())).await?.ok_or(Error::Ticket)
}
