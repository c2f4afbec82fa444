//! Refresh tokens: each is used once and gives the next. A family has one living token; who shows an older one has copied it.

use std::time::Duration;

use domain::secret::SecretText;
use domain::status::Standing;
use domain::{SessionId, Time};
use serde_json::json;
use store::audit::Event;
use store::control::sessions::{self, RefreshToken};
use store::control::{mails, people};
use store::keys::sha256;
use store::tokens::{self, Claims};
use store::{Actor, ControlTx, Origin, Turn};

use crate::login::{self, Tokens};
use crate::{Error, House, Result, letters};

/// For how long the token before the living one gives the living one again: its answer may have been lost on the way.
const GRACE: Duration = Duration::from_secs(10);

/// Gives the next pair of tokens for a refresh token.
/// # Errors
/// [`Error::Refresh`] when it is not the living one of its family. If it was once, the whole family ends, with its access tokens,
/// and the owner gets a mail.
pub async fn refresh(house: &House, token: &SecretText, origin: &Origin) -> Result<Tokens> {
    let hash = sha256(token.expose());
    let now = house.store.ambient().now();
    let mut tx = house.store.read_control().await?;
    let shown = find(&mut tx, &hash, now).await?;
    drop(tx);
    // Before the transaction: signing may make a key.
    let claims = Claims { user: shown.user_id, session: shown.session_id, org: shown.org_id };
    let lifetime = login::access_lifetime(house, shown.user_id, shown.org_id).await?;
    let access = tokens::sign(&house.store, claims, lifetime).await?;
    let next = login::new_secret(house);

    let mut tx = house.store.begin_control(Turn::Person(shown.user_id)).await?;
    let shown = find(&mut tx, &hash, now).await?;
    let session = shown.session_id;
    if let Some(used_at) = shown.used_at {
        let Some(refresh) = successor(house, &mut tx, &shown, &hash, now.since(used_at)).await? else {
            end_family(house, tx, &shown, origin).await?;
            return Err(Error::Refresh);
        };
        return Ok(Tokens { session, access, refresh, lifetime });
    }
    if shown.expires_at <= now {
        return Err(Error::Refresh);
    }
    let sealed = house.store.seal(&place(session, &hash), next.as_bytes());
    if !sessions::use_refresh(&mut tx, &hash, &sealed).await? {
        return Err(Error::Refresh);
    }
    let ends = (now + house.rules.refresh_idle).min(shown.family_expires_at);
    sessions::insert_refresh(&mut tx, &sha256(&next), session, ends).await?;
    // In the log of the organisation it works in alone: this comes every ten minutes from each device.
    let (actor, event) = (Actor::Person(shown.user_id), Event::new("session.refreshed", session));
    match shown.org_id {
        Some(org) => tx.record(org, &actor, origin, event).await?,
        None => tx.record_house(&actor, origin, event).await?,
    }
    tx.commit().await?;
    Ok(Tokens { session, access, refresh: next, lifetime })
}

/// The token as stored, if its family lives.
async fn find(tx: &mut ControlTx, hash: &[u8; 32], now: Time) -> Result<RefreshToken> {
    let lives = |token: &RefreshToken| {
        token.revoked_at.is_none() && token.family_expires_at > now && token.standing == Standing::Active
    };
    sessions::find_refresh(tx, hash).await?.filter(lives).ok_or(Error::Refresh)
}

/// Where a successor is sealed for: it opens nowhere else.
fn place(session: SessionId, hash: &[u8; 32]) -> String {
    hash.iter().fold(format!("refresh {session} "), |text, byte| format!("{text}{byte:02x}"))
}

/// The token after one that was used a moment ago, if that one is the living one still.
async fn successor(
    house: &House,
    tx: &mut ControlTx,
    used: &RefreshToken,
    hash: &[u8; 32],
    ago: Duration,
) -> Result<Option<String>> {
    let Some(sealed) = used.successor.as_ref().filter(|_| ago <= GRACE) else { return Ok(None) };
    let bytes = house.store.unseal(&place(used.session_id, hash), sealed)?;
    let next = String::from_utf8(bytes).map_err(|_| store::Error::Sealed("a refresh token"))?;
    let living = sessions::find_refresh(tx, &sha256(&next)).await?.is_some_and(|token| token.used_at.is_none());
    Ok(living.then_some(next))
}

/// Ends the family of a token that two have used.
async fn end_family(house: &House, mut tx: ControlTx, reused: &RefreshToken, origin: &Origin) -> Result<()> {
    let person = people::get(&mut tx, reused.user_id).await?;
    sessions::revoke(&mut tx, person.id, reused.session_id).await?;
    mails::queue(&mut tx, letters::token_reused(house, &person, origin)).await?;
    let event =
        Event::new("session.ended", reused.session_id).detail(json!({ "why": "a refresh token was used twice" }));
    login::record_about(&mut tx, person.id, &Actor::System, origin, &event).await?;
    Ok(tx.commit().await?)
}
