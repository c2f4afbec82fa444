//! Sending the mails of the outbox by SMTP.
//!
//! A mail is claimed for a while before it is sent, so that two servers do not send it twice, and tried again with growing pauses
//! until it is given up. The id of a mail is its `Message-ID`: should a server die between sending a mail and noting it, the
//! second copy can be told for what it is.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::response::Code;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use store::control::mails::{self, Mail};
use store::{Store, Turn};

/// How often sending a mail is tried before it is given up.
pub const TRIES: i64 = 12;
/// Mails that are claimed together.
const BATCH: i64 = 10;
/// How often the outbox is looked at.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a mail server may take for one answer. A batch is sent well within its claim ([`mails::CLAIM`]).
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// How long one mail may take in all.
const MAIL_LIMIT: Duration = Duration::from_secs(45);

/// Whether a text can be the sender of mails.
#[must_use]
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// A mail server.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
    host: String,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smtp({})", self.host)
    }
}

impl Smtp {
    /// A mail server by its address: `smtp://user:password@host:587` with STARTTLS, `smtps://` with TLS from the first byte. STARTTLS is
    /// asked for unless the server is this machine; `?tls=required`, `?tls=opportunistic` and `?tls=none` say otherwise. `?from=`
    /// goes before `sender`.
    /// # Errors
    /// Says in words what is wrong with the address, without its password.
    pub fn new(url: &str, sender: &str) -> Result<Self, String> {
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = address.split_once("://").ok_or("must begin with smtp:// or smtps://")?;
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        let host = place.split('/').next().unwrap_or("");
        let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((host, _)) => host,
            None => host.split(':').next().unwrap_or(""),
        };
        if host.is_empty() {
            return Err("must name a host".into());
        }
        let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let (mut tls, mut sender) = (if here { "none" } else { "required" }, sender.to_owned());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("tls", how @ ("required" | "opportunistic" | "none"))) => tls = how,
                Some(("from", from)) => sender = decode(from).ok_or("has a `from` that is not percent-encoded text")?,
                _ => {
                    return Err(
                        "takes `?tls=required`, `?tls=opportunistic`, `?tls=none` and `?from=`, nothing else".into()
                    );
                }
            }
        }
        let sender =
            sender.parse::<Mailbox>().map_err(|_| format!("has a sender that is no mail address: {sender}"))?;
        if user.is_some() && scheme == "smtp" && tls == "none" && !here {
            return Err("must not send its password in the clear: leave out `tls=none` or use smtps://".into());
        }
        let address = match (scheme, tls) {
            ("smtp", "none") | ("smtps", _) => address.to_owned(),
            ("smtp", tls) => format!("{address}?tls={tls}"),
            _ => return Err("must begin with smtp:// or smtps://".into()),
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&address)
            .map_err(|_| "must look like smtp://user:password@host:587, with special characters percent-encoded")?
            .timeout(Some(ANSWER_LIMIT))
            .build();
        Ok(Self { transport, sender, host: host.to_owned() })
    }

    /// The host of the server, for people.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        let domain = self.sender.email.domain().to_owned();
        let to = mail.recipient.as_str().parse().map_err(|_| Failure::lasting("the recipient is no mail address"))?;
        let message = Message::builder()
            .from(self.sender.clone())
            .to(Mailbox::new(None, to))
            .subject(&mail.subject)
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.clone())
            .map_err(|error| Failure::lasting(&error.to_string()))?;
        match tokio::time::timeout(MAIL_LIMIT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Failure {
                lasting: error.is_permanent() && !error.status().is_some_and(is_about_us),
                text: with_causes(&error),
            }),
            Err(_) => Err(Failure { lasting: false, text: "the mail server takes too long".into() }),
        }
    }
}

/// Why a mail was not taken.
struct Failure {
    /// Whether trying again is in vain.
    lasting: bool,
    text: String,
}

impl Failure {
    fn lasting(text: &str) -> Self {
        Self { lasting: true, text: text.to_owned() }
    }
}

/// Codes by which a server refuses us and not the mail (RFC 4954 section 6, RFC 3207 section 4): the operator can put that right.
fn is_about_us(code: Code) -> bool {
    ["530", "534", "535", "538", "454"].contains(&code.to_string().as_str())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    // A server's answer may be long, and repeat what was sent.
    text.chars().take(300).collect()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &rest[2..];
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The pause after a number of tries in vain: a minute, two, four, ... at most six hours.
fn pause_after(tries: i64) -> Duration {
    let doublings = u32::try_from(tries - 1).unwrap_or(0).min(16);
    Duration::from_secs(60 << doublings).min(Duration::from_hours(6))
}

/// Sends the mails of the outbox for as long as it runs.
pub async fn run(store: Store, smtp: Smtp) {
    loop {
        match send_due(&store, &smtp).await {
            Ok(0) => tokio::time::sleep(PAUSE).await,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "the outbox could not be worked on");
                tokio::time::sleep(PAUSE * 10).await;
            }
        }
    }
}

/// Sends mails that are due, one batch of them; says how many there were.
/// # Errors
/// As the database. A mail that is not taken is no error: it is tried again later.
pub async fn send_due(store: &Store, smtp: &Smtp) -> store::Result<usize> {
    let mut tx = store.read_control().await?;
    if !mails::is_due(&mut tx).await? {
        return Ok(0);
    }
    drop(tx);
    let mut tx = store.begin_control(Turn::Free).await?;
    let claimed = mails::claim(&mut tx, BATCH).await?;
    tx.commit().await?;
    for mail in &claimed {
        let outcome = smtp.send(mail).await;
        let mut tx = store.begin_control(Turn::Free).await?;
        match outcome {
            Ok(()) => mails::sent(&mut tx, mail.id).await?,
            Err(failure) => {
                let tries = mail.tries + 1;
                tracing::warn!(mail = %mail.id, tries, error = failure.text, "a mail was not taken");
                if failure.lasting || tries >= TRIES {
                    mails::failed(&mut tx, mail.id, &failure.text).await?;
                } else {
                    let due_at = store.ambient().now() + pause_after(tries);
                    mails::retry(&mut tx, mail.id, tries, due_at, &failure.text).await?;
                }
            }
        }
        tx.commit().await?;
    }
    Ok(claimed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_six_hours() {
        let pauses: Vec<u64> = (1..TRIES).map(|tries| pause_after(tries).as_secs() / 60).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
    }

    #[tokio::test]
    async fn addresses_are_explained() {
        let wrong = |url| Smtp::new(url, "a@example.com").expect_err("it is wrong");
        assert!(wrong("http://mail").contains("smtp://"));
        assert!(wrong("smtp://").contains("host"));
        assert!(wrong("smtp://mail.example.com?ssl=1").contains("tls="));
        assert!(wrong("smtp://user:secret@mail.example.com?tls=none").contains("in the clear"));
        assert!(!wrong("smtp://user:secret@mail.example.com:x").contains("secret"));
        assert!(wrong("smtp://mail.example.com?from=nobody").contains("nobody"));
        let smtp = Smtp::new("smtp://u:p%40ss@mail.example.com:2525?from=Us%20%3Cus@example.com%3E", "a@example.com");
        let smtp = smtp.expect("it is right");
        assert_eq!((smtp.host(), smtp.sender.to_string().as_str()), ("mail.example.com", "Us <us@example.com>"));
        assert!(Smtp::new("smtp://user:secret@127.0.0.1:1025", "a@localhost").is_ok());
        assert_eq!(format!("{smtp:?}"), "Smtp(mail.example.com)");
    }
}
