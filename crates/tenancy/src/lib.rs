//! What people do with accounts and organisations: sign up, sign in, invite, join, leave; several steps with a reason each.
//!
//! Rules without input and output are in `domain`, statements in `store`, status codes in `server`.

pub mod alerts;
pub mod demo;
pub mod devices;
pub mod enrolment;
pub mod entitlements;
pub mod erasure;
pub mod error;
pub mod factors;
pub mod feedback;
pub mod imported_hash;
pub mod invitations;
pub mod keys;
pub mod leaving;
mod letters;
mod links;
pub mod login;
pub mod mail_address;
pub mod mail_domains;
pub mod members;
pub mod operator;
pub mod orgs;
pub mod password_reset;
pub mod passwords;
pub mod probes;
pub mod projects;
pub mod refresh;
pub mod roles;
pub mod sessions;
pub mod signup;
pub mod sources;
mod throttle;
pub mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use domain::OrgId;
use domain::plan::Plans;
use store::Store;

pub use error::{Error, Result};
use passwords::Passwords;

/// How this installation treats accounts.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The public address of the installation, without a slash at the end; links in mails begin with it.
    pub public_url: String,
    /// Whether a mail address must be verified before the first sign-in: everywhere but on a laptop.
    pub verify_mail: bool,
    /// How long an access token lives.
    pub access_lifetime: Duration,
    /// How long a refresh token lives without use.
    pub refresh_idle: Duration,
    /// How long a family of refresh tokens lives at the most.
    pub refresh_longest: Duration,
    /// How many organisations there may be that one person has made; those that close count until they are erased.
    pub organisations_each: i64,
    /// Whether people can tell the operators what they think of the installation.
    pub feedback: bool,
    /// The plans on offer.
    pub plans: Plans,
}

impl Rules {
    /// The rules of an installation at the given address; lifetimes as in the security facts, section 5.
    #[must_use]
    pub fn new(public_url: &str, verify_mail: bool) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            verify_mail,
            access_lifetime: Duration::from_mins(10),
            refresh_idle: Duration::from_hours(14 * 24),
            refresh_longest: Duration::from_hours(30 * 24),
            organisations_each: 25,
            feedback: true,
            plans: Plans::builtin(),
        }
    }
}

/// The house: the store with what is needed to let people in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct House {
    /// The storage.
    pub store: Store,
    /// The bounded pool that hashes passwords.
    pub passwords: Arc<Passwords>,
    /// How accounts are treated.
    pub rules: Arc<Rules>,
}

impl House {
    /// Opens the house.
    #[must_use]
    pub fn new(store: Store, passwords: Passwords, rules: Rules) -> Self {
        Self { store, passwords: Arc::new(passwords), rules: Arc::new(rules) }
    }

    /// Writes what was just decided about an organisation into its store, so that whoever asks next sees it. When that fails, the
    /// background does it later: the decision itself is durable.
    pub async fn settle(&self, org: OrgId) {
        if let Err(error) = self.store.deliver(org).await {
            tracing::warn!(%org, %error, "what was decided will be written into the organisation's store later");
        }
    }
}
