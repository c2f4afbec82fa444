//! From what is known of a provider to somebody who can be asked.

use std::collections::BTreeMap;

use domain::models::ProviderKind;
use domain::secret::SecretText;
use gateway::Upstream;
use gateway::providers::InvalidUpstream;
use gateway::request::OutputLimit;
use serde::{Deserialize, Serialize};

/// The version of Anthropic's interface that is spoken, unless a header of the provider says another (docs.anthropic.com, read 2026-10).
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// What of a provider is sealed. Never printed.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// The key.
    pub(crate) key: Option<String>,
    /// Headers that it is sent.
    pub(crate) headers: BTreeMap<String, String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Secrets {
    pub(crate) fn of_key(key: Option<&SecretText>) -> Self {
        // Keys are pasted with the space around them.
        Self { key: key.map(|key| key.expose().trim().to_owned()), headers: BTreeMap::new() }
    }

    /// Whether there is nothing to seal.
    pub(crate) fn is_empty(&self) -> bool {
        self.key.is_none() && self.headers.is_empty()
    }
}

/// Sets a provider up.
pub(crate) fn build(kind: ProviderKind, base_url: &str, secrets: &Secrets) -> Result<Upstream, InvalidUpstream> {
    let key = secrets.key.clone().map(SecretText::new).transpose().map_err(|_| InvalidUpstream::Header)?;
    let mut upstream = match kind {
        ProviderKind::OpenAi => {
            let upstream = Upstream::openai(base_url, key.as_ref(), OutputLimit::MaxTokens)?;
            // OpenAI's reasoning models refuse the older name of the limit; most others know no newer one.
            let host = upstream.endpoint().map_or("", |endpoint| endpoint.host());
            if host == "api.openai.com" || host.ends_with(".openai.azure.com") {
                Upstream::openai(base_url, key.as_ref(), OutputLimit::MaxCompletionTokens)?
            } else {
                upstream
            }
        }
        ProviderKind::Anthropic => Upstream::anthropic(base_url, key.as_ref(), ANTHROPIC_VERSION)?,
    };
    for (name, value) in &secrets.headers {
        let name = name.parse().map_err(|_| InvalidUpstream::Header)?;
        upstream = upstream.header(name, value)?;
    }
    Ok(upstream)
}
