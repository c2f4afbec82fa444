//! What a setting can be, and how its text is read.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A kind of setting: read from the text that a flag, the environment or the file gave.
pub(crate) trait Value: Sized {
    /// Whether it is shown as `***`, and may stand in a file of its own.
    const SECRET: bool = false;
    /// What the text must be, for people: "must be ...".
    fn form() -> String;
    /// Reads the text.
    fn read(text: &str) -> Result<Self, String>;
}

fn wrong<T: Value>() -> String {
    format!("must be {}", T::form())
}

/// A setting that may be left out; empty text leaves it out.
impl<T: Value> Value for Option<T> {
    const SECRET: bool = T::SECRET;
    fn form() -> String {
        T::form()
    }
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::read(text).map(Some) }
    }
}

impl Value for SocketAddr {
    fn form() -> String {
        "an address with a port, such as 127.0.0.1:8080".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        text.parse().map_err(|_| wrong::<Self>())
    }
}

impl Value for PathBuf {
    fn form() -> String {
        "a path".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err(wrong::<Self>());
        }
        // A file and a unit of systemd have no shell that would do this.
        match (text.strip_prefix("~/"), std::env::home_dir()) {
            (Some(rest), Some(home)) => Ok(home.join(rest)),
            _ => Ok(text.into()),
        }
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Switch(pub(crate) bool);

impl Value for Switch {
    fn form() -> String {
        "`on` or `off`".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "on" | "true" | "yes" | "1" => Ok(Self(true)),
            "off" | "false" | "no" | "0" => Ok(Self(false)),
            _ => Err(wrong::<Self>()),
        }
    }
}

/// An address to listen on, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listener(pub(crate) Option<SocketAddr>);

impl Value for Listener {
    fn form() -> String {
        "an address with a port, such as 127.0.0.1:9464, or `off`".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() || text == "off" {
            return Ok(Self(None));
        }
        SocketAddr::read(text).map(|address| Self(Some(address))).map_err(|_| wrong::<Self>())
    }
}

/// A whole number within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number<const MIN: u32, const MAX: u32>(pub(crate) u32);

impl<const MIN: u32, const MAX: u32> Value for Number<MIN, MAX> {
    fn form() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }
    fn read(text: &str) -> Result<Self, String> {
        let number = text.replace('_', "").parse().ok().filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(wrong::<Self>)
    }
}

/// The public address: scheme and host, perhaps a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl(pub(crate) String);

impl PublicUrl {
    /// The host without a port.
    pub(crate) fn host(&self) -> &str {
        host_of(&self.0)
    }

    /// Whether what is sent there can be read on the way.
    pub(crate) fn is_clear(&self) -> bool {
        self.0.starts_with("http://") && !is_this_machine(self.host())
    }
}

/// The host of an address with a scheme, without user, port and path.
pub(crate) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or("");
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => rest.split(':').next().unwrap_or(""),
    }
}

/// Whether a host is this very machine.
pub(crate) fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Value for PublicUrl {
    fn form() -> String {
        "an address with its scheme and without a path, such as https://rowhouse.example.com".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches('/');
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(wrong::<Self>)?;
        let plain = !host_of(text).is_empty() && !rest.contains(['/', '?', '#', '@', ' ']);
        if plain { Ok(Self(text.to_ascii_lowercase())) } else { Err(wrong::<Self>()) }
    }
}

/// An address that may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretUrl<S>(pub(crate) String, std::marker::PhantomData<S>);

impl<S> std::fmt::Debug for SecretUrl<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The schemes that an address may have, and an example.
pub(crate) trait Schemes {
    /// The schemes, with `://`.
    const ALL: &'static [&'static str];
    /// What one looks like.
    const EXAMPLE: &'static str;
}

macro_rules! schemes {
    ($($name:ident $all:expr, $example:literal;)+) => {
        $(
            #[doc = concat!("Such as `", $example, "`.")]
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub(crate) enum $name {}
            impl Schemes for $name {
                const ALL: &'static [&'static str] = &$all;
                const EXAMPLE: &'static str = $example;
            }
        )+
    };
}

schemes! {
    Postgres ["postgres://", "postgresql://"], "postgres://user:password@host/database";
    Redis ["redis://", "rediss://"], "redis://host:6379";
    Smtp ["smtp://", "smtps://"], "smtp://user:password@host:587";
}

impl<S: Schemes> Value for SecretUrl<S> {
    const SECRET: bool = true;
    fn form() -> String {
        format!("an address such as {}", S::EXAMPLE)
    }
    fn read(text: &str) -> Result<Self, String> {
        let known = S::ALL.iter().any(|scheme| text.starts_with(scheme));
        if known { Ok(Self(text.to_owned(), std::marker::PhantomData)) } else { Err(wrong::<Self>()) }
    }
}

/// A bucket, and a folder in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// Empty for all of it.
    pub(crate) folder: String,
}

impl Value for Bucket {
    /// Somebody may put a key into it, as into other addresses; that is a mistake, and is not repeated.
    const SECRET: bool = true;
    fn form() -> String {
        "an address such as s3://bucket/folder".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("s3://").ok_or_else(wrong::<Self>)?;
        let (name, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let folder = folder.trim_end_matches('/');
        let plain = |text: &str, more: &[u8]| text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b));
        let good = (3..=63).contains(&name.len()) && plain(name, b"-._") && plain(folder, b"-_./");
        let leads_away =
            folder.split('/').any(|part| [".", ".."].contains(&part) || (part.is_empty() && !folder.is_empty()));
        if good && !leads_away {
            Ok(Self { name: name.to_owned(), folder: folder.to_owned() })
        } else {
            Err(wrong::<Self>())
        }
    }
}

/// A region of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region(pub(crate) String);

impl Value for Region {
    fn form() -> String {
        "1 to 40 of a-z, 0-9 and -, such as eu-central-1".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        let good = (1..=40).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if good { Ok(Self(text.to_owned())) } else { Err(wrong::<Self>()) }
    }
}

/// Networks or addresses, parted by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Networks(pub(crate) Vec<String>);

impl Value for Networks {
    fn form() -> String {
        "a list of addresses or networks, such as 10.0.0.0/8, 192.0.2.7".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        let list = parts(text);
        match list.iter().find(|item| domain::address::network(item).is_err()) {
            Some(item) => Err(format!("{}; `{item}` is neither", wrong::<Self>())),
            None => Ok(Self(list)),
        }
    }
}

/// Origins of other sites, parted by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origins(pub(crate) Vec<String>);

impl Value for Origins {
    fn form() -> String {
        "a list of origins, such as https://app.example.com".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        let read = |item: &String| origin(item).ok_or_else(|| format!("{}; `{item}` is none", wrong::<Self>()));
        parts(text).iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

/// An origin as browsers write it, since it is compared byte for byte: in small letters, without the port that goes without saying.
fn origin(text: &str) -> Option<String> {
    let PublicUrl(url) = PublicUrl::read(text).ok()?;
    let (scheme, place) = url.split_once("://")?;
    let place = place.strip_suffix(if scheme == "https" { ":443" } else { ":80" }).unwrap_or(place);
    let host = place.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b));
    host.then(|| format!("{scheme}://{place}"))
}

/// The key of a provider of models.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ProviderKey(pub(crate) String);

impl std::fmt::Debug for ProviderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Value for ProviderKey {
    const SECRET: bool = true;
    fn form() -> String {
        "a key of 1 to 1024 visible ASCII characters".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let good = (1..=1024).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if good { Ok(Self(text.to_owned())) } else { Err(wrong::<Self>()) }
    }
}

/// Where a provider of models is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl(pub(crate) String);

impl Value for BaseUrl {
    fn form() -> String {
        "an http or https address without a user, such as http://localhost:11434/v1".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        egress::Endpoint::new(text).map(|_| Self(text.to_owned())).map_err(|_| wrong::<Self>())
    }
}

/// The name of a model that embeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmbeddingModel(pub(crate) domain::text::ModelName);

impl Value for EmbeddingModel {
    fn form() -> String {
        "a model's name as its server knows it, such as text-embedding-3-small".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        domain::text::ModelName::new(text).map(Self).map_err(|_| wrong::<Self>())
    }
}

/// Hosts and networks that may be called, parted by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EgressAllow(pub(crate) Vec<egress::Allowed>);

impl Value for EgressAllow {
    fn form() -> String {
        "a list of hosts, hosts with ports and networks, such as localhost:11434, 10.1.0.0/16".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        let read = |item: &String| item.parse().map_err(|_| format!("{}; `{item}` is none of these", wrong::<Self>()));
        parts(text).iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

fn parts(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A plain name of database roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RolePrefix(pub(crate) String);

impl Value for RolePrefix {
    fn form() -> String {
        "1 to 40 of a-z, 0-9 and _".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        store::migrate::Roles::with_prefix(text).map(|_| Self(text.to_owned())).map_err(|_| wrong::<Self>())
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

impl Value for LogFormat {
    fn form() -> String {
        "`text` or `json`".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(wrong::<Self>()),
        }
    }
}

/// Which log lines are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter(pub(crate) String);

impl Value for LogFilter {
    fn form() -> String {
        "`error`, `warn`, `info`, `debug` or `trace`, or a list such as info,store=debug".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        let good = tracing_subscriber::EnvFilter::try_new(text).is_ok() && !text.is_empty();
        if good { Ok(Self(text.to_owned())) } else { Err(wrong::<Self>()) }
    }
}

/// Who mails are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailFrom(pub(crate) String);

impl Value for MailFrom {
    fn form() -> String {
        "a mail address, perhaps with a name: Rowhouse <rowhouse@example.com>".into()
    }
    fn read(text: &str) -> Result<Self, String> {
        if connectors::mail::is_sender(text) { Ok(Self(text.to_owned())) } else { Err(wrong::<Self>()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_a_name_and_perhaps_a_folder() {
        let read = |text: &str| Bucket::read(text).map(|Bucket { name, folder }| format!("{name}|{folder}"));
        assert_eq!(read("s3://originals"), Ok("originals|".into()));
        assert_eq!(read("s3://my.originals/of/rowhouse/"), Ok("my.originals|of/rowhouse".into()));
        for never in [
            "originals",
            "s3://",
            "s3://ab",
            "s3://user:key@bucket",
            "s3://bucket/../other",
            "s3://bucket//a",
            "s3://bucket?x=1",
        ] {
            assert!(read(never).is_err(), "{never}");
        }
    }

    #[test]
    fn origins_are_kept_as_browsers_write_them() {
        let read = |text: &str| Origins::read(text).map(|Origins(list)| list);
        let taken = read("https://App.Example.com/, http://localhost:3000, https://b.example:443, http://[::1]:80");
        let written = ["https://app.example.com", "http://localhost:3000", "https://b.example", "http://[::1]"];
        assert_eq!(taken, Ok(written.map(str::to_owned).to_vec()));
        assert_eq!(read(""), Ok(Vec::new()));
        for never in [
            "*",
            "null",
            "https://*",
            "https://*.example.com",
            "https://a.example/path",
            "app.example.com",
            "https://ü.example",
        ] {
            assert!(read(never).is_err_and(|why| why.contains(never)), "{never}");
        }
    }
}
