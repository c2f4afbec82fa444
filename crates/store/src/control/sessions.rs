//! Signed-in devices: browser sessions, and families of tokens with their refresh tokens.

use std::time::Duration;

use domain::status::Standing;
use domain::{OrgId, SessionId, Time, UserId};
use serde::{Deserialize, Serialize};

use super::ControlTx;
use crate::{Result, Store, Turn};

/// A new session.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The organisation it starts in.
    pub org: Option<OrgId>,
    /// SHA-256 of a browser session's secret; none for a family of tokens.
    pub secret_hash: Option<[u8; 32]>,
    /// What the client calls itself.
    pub agent: String,
    /// Where it came from.
    pub address: String,
    /// When it ends at the latest.
    pub expires_at: Time,
}

/// A session with what each request must know of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Live {
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) org_id: Option<OrgId>,
    pub(crate) browser: bool,
    pub(crate) created_at: Time,
    pub(crate) seen_at: Time,
    pub(crate) proven_at: Time,
    pub(crate) expires_at: Time,
    pub(crate) revoked_at: Option<Time>,
    pub(crate) standing: Standing,
    pub(crate) operator: bool,
    /// Whether the next request gives it a new secret.
    pub(crate) renew: bool,
    /// In microseconds.
    pub(crate) longest_rest: i64,
    /// When the secret that it was found by is void, since another took its place.
    pub(crate) void_at: Option<Time>,
}

/// How long a browser session lives without use.
pub const IDLE: Duration = Duration::from_hours(1);

/// Whether a session was made to live for more than a day: its owner asked to stay signed in.
fn is_long(created_at: Time, expires_at: Time) -> bool {
    expires_at.since(created_at) > Duration::from_hours(24)
}

impl Live {
    pub(crate) fn is_long(&self) -> bool {
        is_long(self.created_at, self.expires_at)
    }

    /// The longest time without use since a factor was shown, this one included.
    pub(crate) fn rest(&self, now: Time) -> Duration {
        let before = Duration::from_micros(u64::try_from(self.longest_rest).unwrap_or(0));
        before.max(now.since(self.seen_at))
    }

    /// Whether it is a browser session that has ended for want of use.
    pub(crate) fn is_idle(&self, now: Time) -> bool {
        self.browser && !self.is_long() && now.since(self.seen_at) > IDLE
    }
}

/// A session as its owner's list shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// `browser` or `token`.
    pub kind: String,
    /// What the client calls itself.
    pub agent: String,
    /// Where it came from.
    pub address: String,
    /// When it began.
    pub created_at: Time,
    /// When it was last used, to the minute.
    pub seen_at: Time,
    /// When it ends at the latest.
    pub expires_at: Time,
}

impl Session {
    /// Whether it is a browser session that has ended for want of use.
    #[must_use]
    pub fn is_idle(&self, now: Time) -> bool {
        self.kind == "browser" && !is_long(self.created_at, self.expires_at) && now.since(self.seen_at) > IDLE
    }
}

/// Adds a session.
/// # Errors
/// As the database.
pub async fn insert(tx: &mut ControlTx, session: &NewSession) -> Result<()> {
    let now = tx.now();
    tx.sql(
        "INSERT INTO sessions (id, user_id, org_id, kind, secret_hash, agent, address, created_at, seen_at, proven_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8, $9)",
    )
    .bind(session.id)
    .bind(session.user)
    .bind(session.org)
    .bind(if session.secret_hash.is_some() { "browser" } else { "token" })
    .bind(session.secret_hash)
    .bind(&session.agent)
    .bind(&session.address)
    .bind(now)
    .bind(session.expires_at)
    .run()
    .await?;
    Ok(())
}

pub(crate) async fn find(tx: &mut ControlTx, id: SessionId) -> Result<Option<Live>> {
    tx.sql(
        "SELECT s.id, s.user_id, s.org_id, s.kind = 'browser' AS browser, s.created_at, s.seen_at, s.proven_at, s.expires_at,
                s.revoked_at, p.standing, p.operator, s.renew, s.longest_rest, s.former_until AS void_at
         FROM sessions s JOIN people p ON p.id = s.user_id WHERE s.id = $1",
    )
    .bind(id)
    .optional()
    .await
}

pub(crate) async fn find_by_secret(tx: &mut ControlTx, hash: &[u8; 32]) -> Result<Option<Live>> {
    let now = tx.now();
    tx.sql(
        "SELECT s.id, s.user_id, s.org_id, s.kind = 'browser' AS browser, s.created_at, s.seen_at, s.proven_at, s.expires_at,
                s.revoked_at, p.standing, p.operator, s.renew, s.longest_rest,
                CASE WHEN s.secret_hash = $1 THEN NULL ELSE s.former_until END AS void_at
         FROM sessions s JOIN people p ON p.id = s.user_id
         WHERE s.secret_hash = $1 OR (s.former_hash = $1 AND s.former_until > $2)",
    )
    .bind(hash)
    .bind(now)
    .optional()
    .await
}

pub(crate) async fn touch(store: &Store, id: SessionId, now: Time) -> Result<()> {
    let mut tx = store.begin_control(Turn::Free).await?;
    tx.sql(
        "UPDATE sessions SET seen_at = $2,
                             longest_rest = CASE WHEN $2 - seen_at > longest_rest THEN $2 - seen_at ELSE longest_rest END
         WHERE id = $1 AND seen_at < $2",
    )
        .bind(id)
        .bind(now)
        .unaudited("last use")
        .run()
        .await?;
    tx.commit().await
}

/// A person's living sessions, the newest first; at most a hundred.
/// # Errors
/// As the database.
pub async fn list(tx: &mut ControlTx, user: UserId) -> Result<Vec<Session>> {
    let now = tx.now();
    tx.sql(
        "SELECT id, kind, agent, address, created_at, seen_at, expires_at FROM sessions
         WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY created_at DESC, id LIMIT 100",
    )
    .bind(user)
    .bind(now)
    .all()
    .await
}

/// Ends one session of a person; says whether it lived.
/// # Errors
/// As the database.
pub async fn revoke(tx: &mut ControlTx, user: UserId, id: SessionId) -> Result<bool> {
    let now = tx.now();
    let ended = tx
        .sql("UPDATE sessions SET revoked_at = $3 WHERE user_id = $1 AND id = $2 AND revoked_at IS NULL")
        .bind(user)
        .bind(id)
        .bind(now)
        .run()
        .await?;
    tx.shift_authority();
    Ok(ended > 0)
}

/// Ends all sessions of a person but the one given.
/// # Errors
/// As the database.
pub async fn revoke_all(tx: &mut ControlTx, user: UserId, but: Option<SessionId>) -> Result<u64> {
    let now = tx.now();
    let ended = tx
        .sql("UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL AND ($3 IS NULL OR id <> $3)")
        .bind(user)
        .bind(now)
        .bind(but)
        .run()
        .await?;
    tx.shift_authority();
    Ok(ended)
}

/// Notes that a factor was shown just now.
/// # Errors
/// As the database.
pub async fn prove(tx: &mut ControlTx, id: SessionId) -> Result<()> {
    let now = tx.now();
    tx.sql("UPDATE sessions SET proven_at = $2, seen_at = $2, longest_rest = 0 WHERE id = $1")
        .bind(id)
        .bind(now)
        .run()
        .await?;
    tx.shift_authority();
    Ok(())
}

/// Gives a browser session a new secret: the old cookie is void.
/// # Errors
/// As the database.
pub async fn renew_secret(tx: &mut ControlTx, id: SessionId, hash: &[u8; 32]) -> Result<()> {
    tx.sql("UPDATE sessions SET secret_hash = $2, renew = $3, former_hash = NULL WHERE id = $1 AND kind = 'browser'")
        .bind(id)
        .bind(hash)
        .bind(false)
        .run()
        .await?;
    tx.shift_authority();
    Ok(())
}

/// Has a person's browser sessions get new secrets at their next requests.
/// # Errors
/// As the database.
pub(crate) async fn renew_all(tx: &mut ControlTx, user: UserId) -> Result<()> {
    tx.sql("UPDATE sessions SET renew = $2 WHERE user_id = $1 AND kind = 'browser' AND revoked_at IS NULL")
        .bind(user)
        .bind(true)
        .run()
        .await?;
    tx.shift_authority();
    Ok(())
}

/// For how long the secret before the new one is taken: requests that are on their way carry it.
const GRACE: Duration = Duration::from_secs(10);

/// Gives a browser session that is to be renewed its new secret; says whether it did, as another request may have been faster.
pub(crate) async fn renew(tx: &mut ControlTx, id: SessionId, old: &[u8; 32], new: &[u8; 32]) -> Result<bool> {
    let now = tx.now();
    let renewed = tx
        .sql(
            "UPDATE sessions SET secret_hash = $3, former_hash = $2, former_until = $4, renew = $5
             WHERE id = $1 AND secret_hash = $2 AND renew = $6",
        )
        .bind(id)
        .bind(old)
        .bind(new)
        .bind(now + GRACE)
        .bind(false)
        .bind(true)
        .run()
        .await?;
    tx.shift_authority();
    Ok(renewed > 0)
}

/// Makes another organisation the active one of a session.
/// # Errors
/// As the database.
pub async fn select_org(tx: &mut ControlTx, id: SessionId, org: OrgId) -> Result<()> {
    tx.sql("UPDATE sessions SET org_id = $2 WHERE id = $1").bind(id).bind(org).run().await?;
    tx.shift_authority();
    Ok(())
}

/// A refresh token as stored.
#[derive(Debug, Clone, Deserialize)]
pub struct RefreshToken {
    /// The family it belongs to.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The organisation that is active in the family.
    pub org_id: Option<OrgId>,
    /// The token after it, sealed: given again when the answer to a refresh was lost.
    pub successor: Option<Vec<u8>>,
    /// When it was used.
    pub used_at: Option<Time>,
    /// When it ends.
    pub expires_at: Time,
    /// When the family ends at the latest.
    pub family_expires_at: Time,
    /// When the family was ended.
    pub revoked_at: Option<Time>,
    /// Whether the person may act.
    pub standing: Standing,
}

/// Adds a refresh token to a family.
/// # Errors
/// As the database.
pub async fn insert_refresh(tx: &mut ControlTx, hash: &[u8; 32], session: SessionId, expires_at: Time) -> Result<()> {
    let now = tx.now();
    tx.sql("INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(hash)
        .bind(session)
        .bind(now)
        .bind(expires_at)
        .run()
        .await?;
    Ok(())
}

/// The refresh token with this hash, if there is one.
/// # Errors
/// As the database.
pub async fn find_refresh(tx: &mut ControlTx, hash: &[u8; 32]) -> Result<Option<RefreshToken>> {
    tx.sql(
        "SELECT r.session_id, s.user_id, s.org_id, r.successor, r.used_at, r.expires_at, s.expires_at AS family_expires_at, s.revoked_at,
                p.standing
         FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id JOIN people p ON p.id = s.user_id WHERE r.hash = $1",
    )
    .bind(hash)
    .optional()
    .await
}

/// Marks a refresh token as used; says whether it was unused. The successor is sealed.
/// # Errors
/// As the database.
pub async fn use_refresh(tx: &mut ControlTx, hash: &[u8; 32], successor: &[u8]) -> Result<bool> {
    let now = tx.now();
    let used = tx
        .sql("UPDATE refresh_tokens SET used_at = $2, successor = $3 WHERE hash = $1 AND used_at IS NULL")
        .bind(hash)
        .bind(now)
        .bind(successor)
        .run()
        .await?;
    Ok(used > 0)
}

/// Removes sessions that ended before the given time, with their refresh tokens; at most a thousand.
/// # Errors
/// As the database.
pub async fn sweep(tx: &mut ControlTx, before: Time) -> Result<u64> {
    tx.sql("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT 1000)")
        .bind(before)
        .unaudited("ended long ago")
        .run()
        .await
}
