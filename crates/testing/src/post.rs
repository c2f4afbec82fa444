//! What reaches people outside of requests: their mails, the codes of their authenticators, and what the logs say of them.

use domain::Time;
use store::audit::{Entry, Filter};
use store::control::mails::{self, Mail};
use store::org::audits;

use crate::{Client, TestHouse};

impl TestHouse {
    /// All mails to somebody, the newest first.
    /// # Panics
    /// When the outbox cannot be read.
    pub async fn mails_to(&self, email: &str) -> Vec<Mail> {
        let mut tx = self.store().read_control().await.expect("begins");
        let mut found = Vec::new();
        for heading in mails::list(&mut tx, None, 1000).await.expect("listed") {
            if heading.recipient.as_str().eq_ignore_ascii_case(email) {
                found.push(mails::get(&mut tx, heading.id).await.expect("opened"));
            }
        }
        found
    }

    /// The newest mail to somebody with this subject.
    /// # Panics
    /// When there is none.
    pub async fn mail(&self, email: &str, subject: &str) -> Mail {
        let mails = self.mails_to(email).await;
        let mail = mails.iter().find(|mail| mail.subject == subject);
        mail.unwrap_or_else(|| panic!("no {subject:?} to {email} among {mails:?}")).clone()
    }

    /// The token in the newest mail to somebody with this subject.
    /// # Panics
    /// When there is none.
    pub async fn mailed_token(&self, email: &str, subject: &str) -> String {
        let mail = self.mail(email, subject).await;
        let (_, rest) = mail.body.split_once("?token=").expect("a link");
        rest.split_whitespace().next().expect("a token").to_owned()
    }

    /// The actions in the log of a client's organisation, the oldest first.
    /// # Panics
    /// When the log cannot be read.
    pub async fn actions(&self, client: &Client) -> Vec<String> {
        self.audit(client).await.into_iter().map(|entry| entry.action).collect()
    }

    /// The log of a client's organisation, the oldest first.
    /// # Panics
    /// When the log cannot be read.
    pub async fn audit(&self, client: &Client) -> Vec<Entry> {
        let scope = self.scope(client).await;
        self.store().deliver(scope.org()).await.expect("delivered");
        let mut tx = self.store().open(&scope).read().await.expect("begins");
        let mut entries = audits::list(&mut tx, Filter::default(), i64::MAX, 1000).await.expect("listed");
        entries.reverse();
        entries
    }
}

/// The code that an authenticator with this secret shows at a time.
/// # Panics
/// When it is no secret.
#[must_use]
pub fn code(secret: &str, at: Time) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).expect("base 32");
    let totp = totp_rs::Builder::new().with_secret(secret).build().expect("a good seed");
    totp.generate(u64::try_from(at.seconds()).expect("after 1970")).to_string()
}

/// The bytes behind an authenticator's secret.
/// # Panics
/// When it is no secret.
#[must_use]
pub fn seed(secret: &str) -> Vec<u8> {
    totp_rs::Secret::try_from_base32(secret).expect("base 32").as_bytes().to_vec()
}
