//! Who calls: where a credential becomes a [`Principal`]. What it is about is checked in each request, or was within the last second.

use std::sync::Arc;

use domain::api_key;
use domain::lifetimes::Age;
use domain::{OrgId, SessionId, Time, UserId};

use crate::actor::{Actor, Origin};
use crate::audit::Event;
use crate::authority::unless_full;
use crate::control::{api_keys, sessions};
use crate::keys::sha256;
use crate::refusal::{Refusal, Stop};
use crate::{Error, Store, Turn, tokens};

/// What a caller shows.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// An access token or an API key, from the `Authorization` header.
    Bearer(&'a str),
    /// The secret of a browser session, from its cookie.
    Cookie(&'a str),
}

/// Whether showing a credential counts as its use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notice {
    Seen,
    Unseen,
}

/// A verified caller. What it shows was checked in this request, or within the last second.
#[derive(Clone, Debug)]
pub struct Principal {
    pub(crate) actor: Actor,
    pub(crate) credential: [u8; 32],
    session: Option<SessionView>,
    pub(crate) key: Option<Arc<api_keys::Verified>>,
    pub(crate) home: Option<OrgId>,
    operator: bool,
    /// How old the sign-in is; none for a key.
    pub(crate) age: Option<Age>,
}

/// A session as its owner's requests see it.
#[derive(Clone, Copy, Debug)]
pub struct SessionView {
    /// Which.
    pub id: SessionId,
    /// Whether it lives in a browser's cookie, and so needs protection against forged requests.
    pub browser: bool,
    /// When a factor was last shown.
    pub proven_at: Time,
    /// When it ends, if its owner asked to stay signed in; else it ends with the browser.
    pub remembered_until: Option<Time>,
    /// Whether its secret is to be changed, since the person's roles have been.
    pub renew: bool,
}

impl Principal {
    /// Who it is.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The person: the caller itself or the maker of the key.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.actor.user().expect("a principal is a person or a key, and both have a person")
    }

    /// The session, unless the caller is a key.
    #[must_use]
    pub fn session(&self) -> Option<SessionView> {
        self.session
    }

    /// Whether the caller is an operator of the installation.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.operator
    }
}

impl Store {
    /// Verifies a credential.
    /// # Errors
    /// [`Stop::Refused`] says which check failed.
    pub async fn authenticate(&self, credential: Credential<'_>, origin: &Origin) -> Result<Principal, Stop> {
        self.admit(credential, origin, Notice::Seen).await
    }

    /// As [`Store::authenticate`], for what goes on without anybody doing something: it does not count as use, so a session that
    /// rests ends all the same.
    /// # Errors
    /// As [`Store::authenticate`].
    pub async fn authenticate_again(&self, credential: Credential<'_>, origin: &Origin) -> Result<Principal, Stop> {
        self.admit(credential, origin, Notice::Unseen).await
    }

    async fn admit(&self, credential: Credential<'_>, origin: &Origin, notice: Notice) -> Result<Principal, Stop> {
        match credential {
            Credential::Bearer(text) if text.starts_with("rh_") => self.by_key(text, origin, notice).await,
            Credential::Bearer(text) => self.by_token(text, notice).await,
            Credential::Cookie(secret) => self.by_cookie(secret, notice).await,
        }
    }

    async fn by_token(&self, token: &str, notice: Notice) -> Result<Principal, Stop> {
        let credential = sha256(token);
        let tokens::Verified { claims, issued, .. } = self.cached_claims(credential, token).await?;
        let session = self.cached_session(credential, async |tx| sessions::find(tx, claims.session).await).await?;
        if session.browser || session.user_id != claims.user {
            return Err(Refusal::Unknown.into());
        }
        self.person(credential, &session, Some(issued), notice).await
    }

    async fn by_cookie(&self, secret: &str, notice: Notice) -> Result<Principal, Stop> {
        let hash = sha256(secret);
        let session = self.cached_session(hash, async |tx| sessions::find_by_secret(tx, &hash).await).await?;
        // The cache knows sessions by the hash of what was shown: a token must not pass for a cookie.
        if !session.browser {
            return Err(Refusal::Unknown.into());
        }
        let now = self.ambient().now();
        if session.void_at.is_some_and(|at| at <= now) {
            return Err(Refusal::Unknown.into());
        }
        if session.is_idle(now) {
            return Err(Refusal::SessionEnded.into());
        }
        self.person(hash, &session, None, notice).await
    }

    async fn person(
        &self,
        credential: [u8; 32],
        session: &sessions::Live,
        token_issued: Option<Time>,
        notice: Notice,
    ) -> Result<Principal, Stop> {
        let now = self.ambient().now();
        if session.revoked_at.is_some() {
            return Err(Refusal::SessionEnded.into());
        }
        if session.expires_at <= now {
            return Err(Refusal::Expired.into());
        }
        if session.standing != domain::status::Standing::Active {
            return Err(Refusal::PersonSuspended.into());
        }
        if notice == Notice::Seen && now.since(session.seen_at) > crate::authority::SEEN_STEP {
            unless_full(sessions::touch(self, session.id, now).await)?;
            self.session_seen(&credential);
        }
        Ok(Principal {
            actor: Actor::Person(session.user_id),
            credential,
            session: Some(SessionView {
                id: session.id,
                browser: session.browser,
                proven_at: session.proven_at,
                remembered_until: session.is_long().then_some(session.expires_at),
                renew: session.browser && session.renew,
            }),
            age: Some(Age {
                browser: session.browser,
                proven: now.since(session.proven_at),
                rest: session.rest(now),
                token: token_issued.map(|at| now.since(at)),
            }),
            key: None,
            home: session.org_id,
            operator: session.operator,
        })
    }

    async fn by_key(&self, text: &str, origin: &Origin, notice: Notice) -> Result<Principal, Stop> {
        let presented = api_key::parse(text).map_err(|_| Refusal::Malformed)?;
        let credential = sha256(text);
        let key = self.cached_key(credential, &presented).await?;
        let now = self.ambient().now();
        if key.revoked_at.is_some_and(|at| at <= now) {
            return Err(Refusal::KeyRevoked.into());
        }
        if key.expires_at.is_some_and(|at| at <= now) {
            return Err(Refusal::KeyExpired.into());
        }
        if !key.admits(&origin.address) {
            return Err(Refusal::Address.into());
        }
        if key.person_standing != domain::status::Standing::Active {
            return Err(Refusal::PersonSuspended.into());
        }
        if notice == Notice::Seen && key.seen_at.is_none_or(|at| now.since(at) > crate::authority::SEEN_STEP) {
            unless_full(api_keys::touch(self, key.id, now).await)?;
            self.key_seen(&credential);
        }
        Ok(Principal {
            actor: Actor::Key { key: key.id, maker: key.user_id },
            credential,
            session: None,
            home: Some(key.org_id),
            key: Some(key),
            operator: false,
            age: None,
        })
    }

    /// Gives a browser session whose person's roles have changed its new secret, and says whether it did: of several requests at once
    /// one does. The secret before is taken for ten seconds more.
    /// # Errors
    /// As the database.
    pub async fn renew_session(&self, principal: &Principal, secret: &str, origin: &Origin) -> Result<bool, Error> {
        let Some(session) = principal.session.filter(|session| session.renew) else { return Ok(false) };
        let mut tx = self.begin_control(Turn::Free).await?;
        if !sessions::renew(&mut tx, session.id, &principal.credential, &sha256(secret)).await? {
            return Ok(false);
        }
        tx.record_house(&principal.actor, origin, Event::new("session.renewed", session.id)).await?;
        tx.commit().await?;
        Ok(true)
    }
}
