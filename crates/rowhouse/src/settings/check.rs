//! What settings must hold together, beyond each one's own form.

use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use domain::models::ProviderKind;
use domain::plan::Plans;
use domain::prices::Prices;
use domain::secret::SecretText;
use metering::rates::{BadAddress, Sharing};
use server::Installation;
use store::blobs::BucketSettings;

use super::table::{Settings, TABLE};
use super::value::{Listener, PublicUrl, Switch, Value as _, host_of, is_this_machine};

/// Notes what must be put right and what should be looked at.
pub(super) fn check(settings: &Settings, mistakes: &mut Vec<String>, warnings: &mut Vec<String>) {
    let key = settings.master_key_path();
    if settings.database_url.is_none() && plain(&key).starts_with(plain(&settings.data)) {
        mistakes.push(format!(
            "`master_key_file` {} must not be inside the data folder {}: whoever takes the data would have the key too",
            key.display(),
            settings.data.display()
        ));
    }
    let heads = settings.audit_heads_path();
    if settings.database_url.is_none() && plain(&heads).starts_with(plain(&settings.data)) {
        mistakes.push(format!(
            "`audit_heads` {} must not be inside the data folder {}: whoever changes the data could change it too",
            heads.display(),
            settings.data.display()
        ));
    }
    if let Some(fault) = settings.database_url.as_ref().and_then(|url| store::address_fault(&url.0)) {
        mistakes.push(format!("`database_url`: {fault}"));
    }
    if let Err(problem) = settings.read_plans() {
        mistakes.push(problem);
    }
    if let Err(problem) = settings.read_prices() {
        mistakes.push(problem);
    }
    if let Err(problem) = settings.installation(Vec::new()) {
        mistakes.push(problem);
    }
    for (key, url) in [
        ("openai_base_url", &settings.openai_base_url),
        ("anthropic_base_url", &settings.anthropic_base_url),
        ("notion_base_url", &settings.notion_base_url),
    ] {
        if url.as_ref().is_some_and(|url| url.0.starts_with("http://") && !is_this_machine(host_of(&url.0))) {
            warnings
                .push(format!("`{key}` begins with http://: what models are asked, and the key, travel in the clear"));
        }
    }
    if let Some(url) = &settings.smtp_url
        && let Err(problem) = connectors::mail::Smtp::new(&url.0, &settings.sender())
    {
        mistakes.push(format!("`smtp_url` {problem}"));
    }
    if settings.public_url.as_ref().is_some_and(PublicUrl::is_clear) {
        let mails = if settings.smtp_url.is_some() { ", and so do the links in mails" } else { "" };
        warnings.push(format!(
            "`public_url` begins with http://: passwords and tokens travel in the clear{mails}; put a proxy with TLS in front and use https://"
        ));
    }
    if settings.public_url.as_ref().is_some_and(|url| url.0.starts_with("https://"))
        && settings.trusted_proxies.0.is_empty()
    {
        warnings.push(
            "`public_url` begins with https:// but `trusted_proxies` is empty: everybody seems to come from the proxy that speaks TLS, so \
             one stranger who guesses passwords keeps all others from signing in; name the address of the proxy"
                .into(),
        );
    }
    for origin in &settings.origins.0 {
        if PublicUrl::read(origin).is_ok_and(|url| url.is_clear()) {
            warnings.push(format!(
                "`origins` names {origin}: whoever is on the way can write its pages, and they may call with people's sessions; use https://"
            ));
        }
    }
    let far = !settings.listen.ip().is_loopback();
    if far && settings.public_url.is_none() {
        warnings.push(
            "`listen` is open to other machines but `public_url` is not set: anybody who reaches it can sign up at once, \
             and links lead to this machine"
                .into(),
        );
    }
    if settings.demo == Some(Switch(true)) && (far || settings.public_url.is_some()) {
        warnings
            .push("`demo` is on: anybody who reaches the server can sign in as the people of the demo world".into());
    }
    if settings.metrics_listen.0.is_some_and(|address| !address.ip().is_loopback()) {
        warnings.push("`metrics_listen` is open to other machines: metrics are for operators alone".into());
    }
    if let Err(problem) = settings.sharing() {
        mistakes.push(problem);
    }
    check_bucket(settings, mistakes, warnings);
    if settings.cold_after.is_some() {
        if settings.s3_url.is_none() {
            mistakes.push("`cold_after` needs `s3_url`: it says when files go into the bucket".into());
        }
        if settings.database_url.is_some() {
            warnings.push("`cold_after` says nothing with `database_url`: rows stay where they are".into());
        }
    }
}

fn check_bucket(settings: &Settings, mistakes: &mut Vec<String>, warnings: &mut Vec<String>) {
    match settings.bucket() {
        Ok(Some(bucket)) => {
            if let Err(problem) = bucket.check() {
                mistakes.push(format!("`s3_url`: {problem}"));
            }
        }
        Ok(None) if settings.s3_endpoint.is_some() || settings.s3_access_key.is_some() => {
            warnings.push(
                "`s3_endpoint` and the keys say nothing without `s3_url`: originals stay in the data folder".into(),
            );
        }
        Ok(None) => {}
        Err(problem) => mistakes.push(problem),
    }
    if settings
        .s3_endpoint
        .as_ref()
        .is_some_and(|url| url.0.starts_with("http://") && !is_this_machine(host_of(&url.0)))
    {
        warnings.push("`s3_endpoint` begins with http://: originals travel sealed, but names and times can be seen and answers forged".into());
    }
}

/// A path without `.`, `..` and links, as far as it exists.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
        if let Ok(real) = plain.canonicalize() {
            plain = real;
        }
    }
    plain
}

impl Settings {
    /// Where the master key is.
    pub(crate) fn master_key_path(&self) -> PathBuf {
        self.master_key_file.clone().unwrap_or_else(|| {
            let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| Path::new(path).is_absolute());
            let config = config.map(PathBuf::from).or_else(|| std::env::home_dir().map(|home| home.join(".config")));
            config.unwrap_or_else(|| "/etc".into()).join("rowhouse/master.key")
        })
    }

    /// Where the signed heads of the audit chains go.
    pub(crate) fn audit_heads_path(&self) -> PathBuf {
        self.audit_heads.clone().unwrap_or_else(|| self.master_key_path().with_file_name("audit-heads.jsonl"))
    }

    /// Whether mail addresses are verified before the first sign-in: everywhere but on a laptop.
    pub(crate) fn verify_mail(&self) -> bool {
        self.public_url.is_some() || self.smtp_url.is_some()
    }

    /// Whether the first start makes the demo world.
    pub(crate) fn demo_at_first_start(&self) -> bool {
        self.demo.map_or(self.listen.ip().is_loopback() && !self.verify_mail(), |Switch(on)| on)
    }

    /// Whether others than who sits at this machine are to reach the server, by itself or through a proxy beside it.
    pub(crate) fn is_open_to_others(&self) -> bool {
        !self.listen.ip().is_loopback()
            || !self.trusted_proxies.0.is_empty()
            || self.public_url.as_ref().is_some_and(|url| !is_this_machine(url.host()))
    }

    /// The public address, given the one that the server really listens on.
    pub(crate) fn public_address(&self, listening: std::net::SocketAddr) -> String {
        if let Some(PublicUrl(url)) = &self.public_url {
            return url.clone();
        }
        if listening.ip().is_unspecified() {
            return format!("http://127.0.0.1:{}", listening.port());
        }
        format!("http://{listening}")
    }

    /// Whether the address of metrics is the one that every server takes unless told otherwise.
    pub(crate) fn metrics_by_default(&self) -> bool {
        let metrics = TABLE.iter().find(|setting| setting.key == "metrics_listen");
        metrics
            .is_some_and(|setting| Listener::read(setting.default).is_ok_and(|default| default == self.metrics_listen))
    }

    /// Where rate limits are shared with other servers, if anywhere.
    pub(crate) fn sharing(&self) -> Result<Option<Sharing>, String> {
        let Some(url) = &self.redis_url else { return Ok(None) };
        let address = url.0.parse().map_err(|error: BadAddress| format!("`redis_url` {error}"))?;
        Ok(Some(Sharing { address, prefix: "rowhouse".into() }))
    }

    /// The bucket of originals, if they are to be in one.
    pub(crate) fn bucket(&self) -> Result<Option<BucketSettings>, String> {
        let Some(bucket) = &self.s3_url else { return Ok(None) };
        let (Some(access), Some(secret)) = (&self.s3_access_key, &self.s3_secret_key) else {
            return Err("`s3_url` needs `s3_access_key` and `s3_secret_key`".into());
        };
        let region = self.s3_region.0.clone();
        let endpoint = self.s3_endpoint.as_ref().map(|url| url.0.clone());
        Ok(Some(BucketSettings {
            name: bucket.name.clone(),
            folder: bucket.folder.clone(),
            path_style: self.s3_path_style.map_or(endpoint.is_some(), |Switch(on)| on),
            endpoint: endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com")),
            region,
            access_key: access.0.clone(),
            secret_key: secret.0.clone().into(),
        }))
    }

    /// Who mails are from.
    pub(crate) fn sender(&self) -> String {
        if let Some(from) = &self.mail_from {
            return from.0.clone();
        }
        let host = self.public_url.as_ref().map_or("localhost", PublicUrl::host);
        let host = if is_this_machine(host) { "localhost" } else { host };
        format!("Rowhouse <rowhouse@{host}>")
    }

    /// The prices: those that come with Rowhouse, and the operator's on top.
    pub(crate) fn read_prices(&self) -> Result<Prices, String> {
        let Some(path) = &self.prices else { return Ok(Prices::builtin()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("`prices`: {} cannot be read: {error}", path.display()))?;
        Prices::builtin().with(&text).map_err(|error| format!("`prices`: {}: {error}", path.display()))
    }

    /// The providers of models that are offered to all, and where else may be called; never `own`, where this program listens.
    pub(crate) fn installation(&self, own: Vec<SocketAddr>) -> Result<Installation, String> {
        let policy = egress::Policy { allow: self.egress_allow.0.clone(), own };
        let mut installation = Installation::new(policy);
        if let Some(url) = &self.notion_base_url {
            installation = installation.with_notion(&url.0).map_err(|error| format!("`notion_base_url`: {error}"))?;
        }
        let offers = [
            (ProviderKind::OpenAi, &self.openai_base_url, &self.openai_api_key),
            (ProviderKind::Anthropic, &self.anthropic_base_url, &self.anthropic_api_key),
        ];
        for (kind, url, key) in offers {
            if url.is_none() && key.is_none() {
                continue;
            }
            let name = kind.as_str();
            let key = key.as_ref().map(|key| SecretText::new(key.0.clone())).transpose();
            let key = key.map_err(|error| format!("`{name}_api_key` {error}"))?;
            let url = url.as_ref().map(|url| url.0.as_str());
            installation =
                installation.with(kind, url, key.as_ref()).map_err(|error| format!("`{name}_base_url`: {error}"))?;
        }
        if let Some(model) = &self.embedding_model {
            if self.openai_base_url.is_none() && self.openai_api_key.is_none() {
                return Err(
                    "`embedding_model` needs `openai_base_url` or `openai_api_key`: they say whom to ask".into()
                );
            }
            installation = installation.embedding(&model.0);
        }
        Ok(installation)
    }

    /// The plans: those that come with Rowhouse, and the operator's on top.
    pub(crate) fn read_plans(&self) -> Result<Plans, String> {
        let Some(path) = &self.plans else { return Ok(Plans::builtin()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("`plans`: {} cannot be read: {error}", path.display()))?;
        Plans::builtin().merge(&text).map_err(|error| format!("`plans`: {}: {error}", path.display()))
    }
}
