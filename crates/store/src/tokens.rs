//! Access tokens: JWTs (RFC 7519, RFC 9068) of exactly one shape, signed with Ed25519 (RFC 8037).
//!
//! The header must be `{"alg":"EdDSA","typ":"at+jwt","kid":...}` and nothing else, so `none`, other algorithms and embedded keys
//! have no code that could accept them. The newest key signs; older ones verify until the last token they signed has expired.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use domain::{OrgId, SessionId, Time, UserId};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::control::signing_keys;
use crate::scope::{Refusal, Stop};
use crate::{Error, Result, Store, Turn};

/// Who a token is for: this API.
pub const AUDIENCE: &str = "rowhouse";
/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_secs(30);
/// After how long a new key signs.
const KEY_AGE: Duration = Duration::from_hours(30 * 24);
/// The longest a token can live; for so long a retired key is kept.
pub const LONGEST: Duration = Duration::from_hours(1);

/// What a token says.
#[derive(Debug, Clone, Copy)]
pub struct Claims {
    /// The person.
    pub user: UserId,
    /// The session it belongs to: it dies with it.
    pub session: SessionId,
    /// The organisation that is active unless the request selects another.
    pub org: Option<OrgId>,
}

/// What a verified token says, and until when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    expires: Time,
}

impl Verified {
    /// Whether the token has expired by now.
    pub(crate) fn is_over(&self, now: Time) -> bool {
        self.expires <= now - LEEWAY
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<OrgId>,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// The signing keys as this process knows them.
#[derive(Default)]
pub(crate) struct Keyring(RwLock<Known>);

#[derive(Default)]
struct Known {
    keys: Vec<Key>,
    read_at: Option<Time>,
}

struct Key {
    kid: String,
    signing: SigningKey,
    created_at: Time,
    retired_at: Option<Time>,
}

/// A public key as JWKS shows it (RFC 7517, RFC 8037).
#[derive(Debug, Clone, Serialize)]
pub struct Jwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    kid: String,
    x: String,
}

/// Signs a token.
/// # Errors
/// As the database, when a first or a fresh signing key has to be made.
pub async fn sign(store: &Store, claims: Claims, lifetime: Duration) -> Result<String> {
    let now = store.ambient().now();
    if !store.0.signing.has_fresh(now) {
        read_keys(store).await?;
    }
    if !store.0.signing.has_fresh(now) {
        rotate(store).await?;
    }
    let known = store.0.signing.0.read().unwrap_or_else(PoisonError::into_inner);
    let key = known.newest().ok_or_else(|| Error::bug("no signing key"))?;
    let header = Header { alg: "EdDSA".into(), typ: "at+jwt".into(), kid: key.kid.clone() };
    let payload = Payload {
        iss: store.0.issuer.clone(),
        aud: AUDIENCE.into(),
        sub: claims.user,
        sid: claims.session,
        org: claims.org,
        iat: now.seconds(),
        nbf: now.seconds(),
        exp: (now + lifetime.min(LONGEST)).seconds(),
    };
    let text = format!("{}.{}", encode(&header)?, encode(&payload)?);
    let signature = key.signing.sign(text.as_bytes());
    Ok(format!("{text}.{}", B64.encode(signature.to_bytes())))
}

fn encode(part: &impl Serialize) -> Result<String> {
    serde_json::to_vec(part).map(|json| B64.encode(json)).map_err(|error| Error::bug(error.to_string()))
}

/// Verifies a token's shape, signature, issuer, audience and times. Whether its session still lives is for the caller to see.
pub(crate) async fn verify(store: &Store, token: &str) -> Result<Verified, Stop> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::Malformed.into());
    };
    let json = B64.decode(header).map_err(|_| Refusal::Malformed)?;
    let Header { alg, typ, kid } = serde_json::from_slice(&json).map_err(|_| Refusal::Header)?;
    if alg != "EdDSA" || typ != "at+jwt" {
        return Err(Refusal::Header.into());
    }
    let signature =
        B64.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok()).ok_or(Refusal::Malformed)?;
    let now = store.ambient().now();
    if store.0.signing.public(&kid, now).is_none() && store.0.signing.may_reread(now) {
        read_keys(store).await?;
    }
    let public = store.0.signing.public(&kid, now).ok_or(Refusal::SigningKey)?;
    let signed = &token[..header.len() + 1 + payload.len()];
    public.verify_strict(signed.as_bytes(), &signature).map_err(|_| Refusal::Signature)?;
    let json = B64.decode(payload).map_err(|_| Refusal::Malformed)?;
    let payload: Payload = serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)?;
    if payload.iss != store.0.issuer || payload.aud != AUDIENCE {
        return Err(Refusal::Audience.into());
    }
    let claims = Claims { user: payload.sub, session: payload.sid, org: payload.org };
    let verified = Verified { claims, expires: Time::from_micros(payload.exp.saturating_mul(1_000_000)) };
    if verified.is_over(now) {
        return Err(Refusal::Expired.into());
    }
    if payload.nbf > (now + LEEWAY).seconds() {
        return Err(Refusal::NotYet.into());
    }
    Ok(verified)
}

/// Makes a new signing key; the ones before it verify until their tokens have expired.
/// # Errors
/// As the database.
pub async fn rotate(store: &Store) -> Result<()> {
    let seed: [u8; 32] = store.ambient().bytes();
    let key = SigningKey::from_bytes(&seed);
    let kid = crate::setup::hex(&crate::keys::sha256(key.verifying_key().as_bytes())[..8]);
    let sealed = store.seal(&format!("signing key {kid}"), &seed);
    let mut tx = store.begin_control(Turn::Free).await?;
    signing_keys::insert(&mut tx, &kid, &sealed, key.verifying_key().as_bytes()).await?;
    tx.commit().await?;
    read_keys(store).await
}

/// The public keys that tokens of this installation can be checked with.
/// # Errors
/// As the database.
pub async fn jwks(store: &Store) -> Result<Vec<Jwk>> {
    let now = store.ambient().now();
    if store.0.signing.may_reread(now) {
        read_keys(store).await?;
    }
    let known = store.0.signing.0.read().unwrap_or_else(PoisonError::into_inner);
    let living = known.keys.iter().filter(|key| key.lives(now));
    Ok(living
        .map(|key| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            alg: "EdDSA",
            purpose: "sig",
            kid: key.kid.clone(),
            x: B64.encode(key.signing.verifying_key().as_bytes()),
        })
        .collect())
}

async fn read_keys(store: &Store) -> Result<()> {
    let mut tx = store.read_control().await?;
    let mut keys = Vec::new();
    for row in signing_keys::list(&mut tx).await? {
        let seed = store.unseal(&format!("signing key {}", row.kid), &row.sealed)?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| Error::Sealed("a signing key of the wrong length"))?;
        keys.push(Key {
            kid: row.kid,
            signing: SigningKey::from_bytes(&seed),
            created_at: row.created_at,
            retired_at: row.retired_at,
        });
    }
    let read_at = Some(store.ambient().now());
    *store.0.signing.0.write().unwrap_or_else(PoisonError::into_inner) = Known { keys, read_at };
    Ok(())
}

impl Keyring {
    fn has_fresh(&self, now: Time) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.newest().is_some_and(|key| now.since(key.created_at) < KEY_AGE)
    }

    fn public(&self, kid: &str, now: Time) -> Option<VerifyingKey> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.keys.iter().find(|key| key.kid == kid && key.lives(now)).map(|key| key.signing.verifying_key())
    }

    /// At most one look a second for keys that another node may have made: strangers can send any `kid`.
    fn may_reread(&self, now: Time) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.read_at.is_none_or(|at| now.since(at) >= Duration::from_secs(1))
    }
}

impl Known {
    fn newest(&self) -> Option<&Key> {
        self.keys.iter().filter(|key| key.retired_at.is_none()).max_by_key(|key| key.created_at)
    }
}

impl Key {
    fn lives(&self, now: Time) -> bool {
        self.retired_at.is_none_or(|at| now.since(at) < LONGEST)
    }
}
