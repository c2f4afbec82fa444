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

use crate::actor::{Actor, Origin};
use crate::audit::Event;
use crate::control::signing_keys;
use crate::refusal::{Refusal, Stop};
use crate::{Error, Result, Store, Turn};

/// Who a token is for: this API.
pub const AUDIENCE: &str = "rowhouse";
/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_secs(30);
/// After how long a new key signs.
const KEY_AGE: Duration = Duration::from_hours(30 * 24);
/// For how long keys are used as they were read. With the time for which a signature counts as verified, a key that was removed in
/// an emergency is dead everywhere within a minute.
const KNOWN_FOR: Duration = Duration::from_secs(20);
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
    pub(crate) issued: Time,
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

/// The public half of a signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its name in a token's header.
    pub kid: String,
    /// The point on the curve, base64url without padding (RFC 8037 section 2).
    pub x: String,
}

/// Signs a token.
/// # Errors
/// As the database, when a first or a fresh signing key has to be made.
pub async fn sign(store: &Store, claims: Claims, lifetime: Duration) -> Result<String> {
    let now = store.ambient().now();
    if !store.0.signing.has_fresh(now) || store.0.signing.read_before(now, KNOWN_FOR) {
        read_keys(store).await?;
    }
    if !store.0.signing.has_fresh(now) {
        rotate(store, &Actor::System, &Origin::default()).await?;
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
    // An unknown key may be another node's new one. At most one look a second for it: strangers can send any `kid`.
    let unknown = store.0.signing.public(&kid, now).is_none();
    if store.0.signing.read_before(now, if unknown { Duration::from_secs(1) } else { KNOWN_FOR }) {
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
    let time = |seconds: i64| Time::from_micros(seconds.saturating_mul(1_000_000));
    let verified = Verified { claims, issued: time(payload.iat), expires: time(payload.exp) };
    if verified.is_over(now) {
        return Err(Refusal::Expired.into());
    }
    if payload.nbf > (now + LEEWAY).seconds() {
        return Err(Refusal::NotYet.into());
    }
    Ok(verified)
}

/// Makes a new signing key; the ones before it verify until their tokens have expired, so nobody is logged out.
/// # Errors
/// As the database.
pub async fn rotate(store: &Store, actor: &Actor, origin: &Origin) -> Result<()> {
    let seed: [u8; 32] = store.ambient().bytes();
    let key = SigningKey::from_bytes(&seed);
    let kid = crate::setup::hex(&crate::keys::sha256(key.verifying_key().as_bytes())[..8]);
    let sealed = store.seal(&format!("signing key {kid}"), &seed);
    let mut tx = store.begin_control(Turn::Free).await?;
    signing_keys::insert(&mut tx, &kid, &sealed, key.verifying_key().as_bytes()).await?;
    tx.record_house(actor, origin, Event::new("signing_key.made", kid)).await?;
    tx.commit().await?;
    read_keys(store).await
}

/// Removes a signing key that somebody else may have: all tokens it signed are void, here at once and on other nodes within a
/// minute. Their owners go on with their refresh tokens.
/// # Errors
/// [`Error::NotFound`] when there is none such.
pub async fn remove(store: &Store, kid: &str, actor: &Actor, origin: &Origin) -> Result<()> {
    let mut tx = store.begin_control(Turn::Free).await?;
    if !signing_keys::remove(&mut tx, kid).await? {
        return Err(Error::NotFound("signing key"));
    }
    tx.record_house(actor, origin, Event::new("signing_key.removed", kid)).await?;
    tx.commit().await?;
    read_keys(store).await?;
    store.forget_signatures();
    Ok(())
}

/// The public keys that tokens of this installation can be checked with.
/// # Errors
/// As the database.
pub async fn public_keys(store: &Store) -> Result<Vec<PublicKey>> {
    let now = store.ambient().now();
    if store.0.signing.read_before(now, Duration::from_secs(1)) {
        read_keys(store).await?;
    }
    let known = store.0.signing.0.read().unwrap_or_else(PoisonError::into_inner);
    let living = known.keys.iter().filter(|key| key.lives(now));
    let public = |key: &Key| PublicKey { kid: key.kid.clone(), x: B64.encode(key.signing.verifying_key().as_bytes()) };
    Ok(living.map(public).collect())
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

    /// Whether the keys were last read so long ago, or never.
    fn read_before(&self, now: Time, age: Duration) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.read_at.is_none_or(|at| now.since(at) >= age)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::Ambient;
    use domain::ambient::{ManualClock, SeededRandom};
    use hmac::{KeyInit, Mac};
    use serde_json::{Value, json};

    use super::*;
    use crate::{Place, Settings};

    /// A store with its real signing key, and a token as it issues them, in parts that can be changed.
    struct Forge {
        store: Store,
        header: Value,
        payload: Value,
        _folder: tempfile::TempDir,
    }

    impl Forge {
        async fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let master_key_file = folder.path().join("master.key");
            let key = "rowhouse-master-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
            std::fs::write(&master_key_file, key).expect("written");
            let start = "2026-11-22T10:00:00Z".parse().expect("a time");
            let ambient = Ambient::new(Arc::new(ManualClock::at(start)), Arc::new(SeededRandom::new(7)));
            let place = Place::Embedded { data: folder.path().join("data"), open_files: 1, cache_kib: 512 };
            let audit_heads = master_key_file.with_file_name("audit-heads.jsonl");
            let blobs = folder.path().join("data/blobs");
            let issuer = "http://test".into();
            let settings = Settings { place, master_key_file, audit_heads, blobs, bucket: None, issuer };
            let store = Store::start(&settings, ambient).await.expect("started");
            let claims = Claims { user: store.ambient().id(), session: store.ambient().id(), org: None };
            let token = sign(&store, claims, Duration::from_mins(10)).await.expect("signed");
            let part = |n: usize| {
                let json = B64.decode(token.split('.').nth(n).expect("a part")).expect("base64");
                serde_json::from_slice(&json).expect("JSON")
            };
            Self { header: part(0), payload: part(1), store, _folder: folder }
        }

        fn text(&self) -> String {
            format!("{}.{}", encode(&self.header).expect("JSON"), encode(&self.payload).expect("JSON"))
        }

        /// Signs whatever it is with the real key.
        fn signed(&self) -> String {
            let text = self.text();
            let known = self.store.0.signing.0.read().expect("whole");
            let signature = known.newest().expect("a key").signing.sign(text.as_bytes());
            format!("{text}.{}", B64.encode(signature.to_bytes()))
        }

        async fn refusal(&self, token: &str) -> Option<Refusal> {
            match verify(&self.store, token).await {
                Ok(_) => None,
                Err(Stop::Refused(refusal)) => Some(refusal),
                Err(Stop::Failed(error)) => panic!("{error}"),
            }
        }

        async fn with(mut self, part: &str, name: &str, value: Value) -> Option<Refusal> {
            let part = if part == "header" { &mut self.header } else { &mut self.payload };
            part[name] = value;
            let token = self.signed();
            self.refusal(&token).await
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_header_of_another_shape_is_refused_even_when_rightly_signed() {
        let forge = Forge::new().await;
        assert_eq!(forge.refusal(&forge.signed()).await, None);
        for (name, value) in [
            ("alg", json!("none")),
            ("alg", json!("ES256")),
            ("typ", json!("JWT")),
            ("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" })),
            ("jku", json!("http://evil.test/jwks.json")),
            ("x5u", json!("http://evil.test/cert.pem")),
            ("x5c", json!(["AAAA"])),
            ("crit", json!(["exp"])),
            ("b64", json!(false)),
        ] {
            assert_eq!(Forge::new().await.with("header", name, value).await, Some(Refusal::Header), "{name}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn claims_are_checked_even_when_rightly_signed() {
        let now = Forge::new().await.store.ambient().now().seconds();
        for (name, value, expected) in [
            ("iss", json!("http://elsewhere"), Some(Refusal::Audience)),
            ("aud", json!("another"), Some(Refusal::Audience)),
            ("aud", json!(["rowhouse"]), Some(Refusal::Malformed)),
            ("exp", json!(now - 30), Some(Refusal::Expired)),
            ("exp", json!(now - 29), None),
            ("nbf", json!(now + 31), Some(Refusal::NotYet)),
            ("nbf", json!(now + 30), None),
            ("sub", json!("org_01932d6f4b7a7c3e9a51c0ffee15600d"), Some(Refusal::Malformed)),
            ("exp", json!(i64::MAX), None),
        ] {
            let told = format!("{name} {value}");
            assert_eq!(Forge::new().await.with("payload", name, value).await, expected, "{told}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn nobody_else_can_sign() {
        let mut forge = Forge::new().await;
        let text = forge.text();
        let stranger = SigningKey::from_bytes(&[9; 32]).sign(text.as_bytes());
        let by_stranger = format!("{text}.{}", B64.encode(stranger.to_bytes()));
        assert_eq!(forge.refusal(&by_stranger).await, Some(Refusal::Signature));
        // The public key as the secret of a symmetric algorithm: the classic confusion.
        let public = forge.store.0.signing.0.read().expect("whole").keys[0].signing.verifying_key();
        forge.header["alg"] = json!("HS256");
        let text = forge.text();
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(public.as_bytes()).expect("any length will do");
        mac.update(text.as_bytes());
        let confused = format!("{text}.{}", B64.encode(mac.finalize().into_bytes()));
        assert_eq!(forge.refusal(&confused).await, Some(Refusal::Header));
        forge.header = json!({ "alg": "none", "typ": "at+jwt", "kid": forge.header["kid"] });
        assert_eq!(forge.refusal(&format!("{}.", forge.text())).await, Some(Refusal::Header));
    }
}
