//! All settings: the one list from which flags, environment names, file keys and docs/SETTINGS.md are made.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::read::Reader;
use super::value::{
    BaseUrl, Bucket, EgressAllow, EmbeddingModel, Listener, LogFilter, LogFormat, MailFrom, Networks, Number, Origins,
    Postgres, ProviderKey, PublicUrl, Redis, Region, RolePrefix, SecretUrl, Smtp, Switch, Value,
};

/// One setting, as flags, the environment, the file and the documentation know it.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its key in the file.
    pub(crate) key: &'static str,
    /// What it does, in a sentence or two.
    pub(crate) about: &'static str,
    /// What its text must be.
    pub(crate) form: fn() -> String,
    /// What holds when nobody sets it; empty for nothing.
    pub(crate) default: &'static str,
    /// What an empty default means, in words.
    pub(crate) otherwise: &'static str,
    /// Whether it is hidden, and may stand in a file of its own.
    pub(crate) secret: bool,
    /// Whether empty text says something.
    pub(super) may_be_empty: fn() -> bool,
}

impl Setting {
    /// Its flag, without the dashes.
    pub(crate) fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// Its name in the environment.
    pub(crate) fn environment(&self) -> String {
        let name = self.key.to_uppercase();
        // Keys of providers are where other programs look for them, too.
        if ["OPENAI_", "ANTHROPIC_"].iter().any(|start| name.starts_with(start)) {
            return name;
        }
        format!("ROWHOUSE_{name}")
    }
}

macro_rules! settings {
    ($($(#[doc = $about:literal])+ $key:ident: $kind:ty = $default:literal $(or $otherwise:literal)?;)+) => {
        /// The settings in force.
        #[derive(Debug)]
        pub(crate) struct Settings {
            $($(#[doc = $about])+ pub(crate) $key: $kind,)+
        }

        /// All settings, in the order of the documentation.
        pub(crate) const TABLE: &[Setting] = &[$(Setting {
            key: stringify!($key),
            about: concat!($($about),+).trim_ascii_start(),
            form: <$kind as Value>::form,
            default: $default,
            otherwise: concat!($($otherwise)?),
            secret: <$kind as Value>::SECRET,
            may_be_empty: || <$kind as Value>::read("").is_ok(),
        }),+];

        impl Settings {
            /// Reads all of them; `None` when one has a mistake, which the reader then holds.
            pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
                // First all, then the question mark: every mistake is to be found, not the first alone.
                $(let $key: Option<$kind> = reader.value(stringify!($key));)+
                Some(Self { $($key: $key?),+ })
            }
        }
    };
}

settings! {
    /// Where the server listens.
    listen: SocketAddr = "127.0.0.1:8080";
    /// The folder that holds the data of the embedded storage. Made at the first start, for its owner alone.
    data: PathBuf = "./data";
    /// The file with the master key, outside the data folder. Made at the first start; keep a copy elsewhere.
    master_key_file: Option<PathBuf> = "" or "`rowhouse/master.key` in `$XDG_CONFIG_HOME` or `~/.config`";
    /// The file to which the heads of the audit chains are signed, outside the data folder; best on a disk that only takes more.
    audit_heads: Option<PathBuf> = "" or "`audit-heads.jsonl` beside the master key";
    /// The address under which people reach the server: links in mails begin with it, access tokens are issued by it.
    public_url: Option<PublicUrl> = "" or "`http://` and the address of `listen`";
    /// A PostgreSQL database instead of the embedded storage, with a user who may create roles and schemas.
    database_url: Option<SecretUrl<Postgres>> = "" or "the embedded storage";
    /// What the names of the four database roles begin with.
    database_role_prefix: RolePrefix = "rowhouse";
    /// Connections to PostgreSQL for the organisations' data; half as many again are opened for all else.
    database_connections: Number<2, 1000> = "32";
    /// A Redis or Valkey server that shares rate limits between several servers; while it is away, each keeps to its part of them.
    redis_url: Option<SecretUrl<Redis>> = "" or "nothing";
    /// The bucket that originals of documents are kept in, and the folder in it; on their way in they are in the data folder.
    s3_url: Option<Bucket> = "" or "the folder `blobs` in the data folder";
    /// The server of the bucket: Amazon's, or another that speaks S3. Its address may be called whatever `egress_allow` says.
    s3_endpoint: Option<BaseUrl> = "" or "Amazon's server of the region";
    /// The region of the bucket.
    s3_region: Region = "us-east-1";
    /// The name of the key to the bucket.
    s3_access_key: Option<ProviderKey> = "" or "nothing";
    /// The key to the bucket.
    s3_secret_key: Option<ProviderKey> = "" or "nothing";
    /// Whether the bucket's name stands in the path of addresses, and not before the host.
    s3_path_style: Option<Switch> = "" or "on when `s3_endpoint` is set";
    /// After how many days that nobody used it the file of an organisation goes into the bucket; it comes back with its first use. Needs
    /// `s3_url`; on PostgreSQL rows stay where they are.
    cold_after: Option<Number<1, 3650>> = "" or "never";
    /// The mail server: `smtp://` with STARTTLS (asked for unless the server is this machine; `?tls=none` does without), or `smtps://`.
    smtp_url: Option<SecretUrl<Smtp>> = "" or "mails stay here: `rowhouse mail list`";
    /// Who mails are from.
    mail_from: Option<MailFrom> = "" or "`rowhouse@` and the host of the public address";
    /// Whether the first start makes a demo world, with people whose password is known to all. Unless it is on, a server that others reach does not start while that password lets anybody in.
    demo: Option<Switch> = "" or "on when the server can be reached from this machine alone and neither `public_url` nor `smtp_url` is set";
    /// Whether people can tell the operators, on the pages, what they think of the installation. It comes as a mail.
    feedback: Switch = "on";
    /// Where Prometheus reads metrics: an address for operators alone, or `off`.
    metrics_listen: Listener = "127.0.0.1:9464";
    /// A file of plans, read on top of the ones that come with Rowhouse.
    plans: Option<PathBuf> = "" or "the plans that come with Rowhouse";
    /// The key of OpenAI, or of a server that imitates it: its models are offered to all organisations.
    openai_api_key: Option<ProviderKey> = "" or "no such provider, unless `openai_base_url` is set";
    /// Where OpenAI's models are asked for: another server that imitates it, such as Ollama, may take no key. Its address counts as allowed.
    openai_base_url: Option<BaseUrl> = "" or "`https://api.openai.com/v1`";
    /// The key of Anthropic: its models are offered to all organisations.
    anthropic_api_key: Option<ProviderKey> = "" or "no such provider, unless `anthropic_base_url` is set";
    /// Where Anthropic's models are asked for. Its address counts as allowed.
    anthropic_base_url: Option<BaseUrl> = "" or "`https://api.anthropic.com`";
    /// Where Notion is asked. Its address counts as allowed.
    notion_base_url: Option<BaseUrl> = "" or "`https://api.notion.com`";
    /// The model of OpenAI's, or of the server that imitates it, by which documents are embedded in organisations that choose none. Needs a price there, unless the server takes no key.
    embedding_model: Option<EmbeddingModel> = "" or "the embedded one";
    /// What may be called besides the public internet, and without TLS, also by providers that organisations bring: local model servers.
    egress_allow: EgressAllow = "" or "nothing";
    /// A file of prices of models, read on top of the ones that come with Rowhouse.
    prices: Option<PathBuf> = "" or "the prices that come with Rowhouse";
    /// Whether a call ends only when its row in the ledger is on the disk: a power cut then loses none that was answered, and each call waits for a flush. PostgreSQL does so in any case.
    strict_ledger: Switch = "off";
    /// Proxies whose `X-Forwarded-For` is believed. Behind one that is not named here all people seem to come from one address, and are locked out together.
    trusted_proxies: Networks = "" or "none";
    /// Origins of other sites whose pages may call the API with credentials: each by itself, there are no wildcards.
    origins: Origins = "" or "none";
    /// Organisations' files that may be open at once. Each takes about 150 KiB and three file descriptors or more.
    open_files: Number<4, 100_000> = "256";
    /// Page cache of each connection to an organisation's file, in KiB.
    cache_kib: Number<64, 1_048_576> = "2048";
    /// Passwords that are hashed at once; each takes a core and 19 MiB for about 100 ms.
    password_slots: Option<Number<1, 256>> = "" or "one fewer than there are cores, at least one";
    /// The largest body of a request, in KiB.
    body_kib: Number<16, 10_240> = "1024";
    /// How long an access token lives, in minutes.
    access_token_minutes: Number<1, 10> = "10";
    /// How long running requests may take when the server stops, in seconds.
    drain_seconds: Number<0, 30> = "30";
    /// Which log lines are written to standard error.
    log: LogFilter = "info";
    /// How log lines look.
    log_format: LogFormat = "text";
}
