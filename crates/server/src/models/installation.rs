//! What the operator offers to all organisations: providers with the installation's own keys.

use connectors::notion::{self, Notion};
use domain::models::ProviderKind;
use domain::secret::SecretText;
use domain::text::ModelName;
use egress::{Allowed, Policy};
use gateway::Upstream;
use gateway::providers::InvalidUpstream;

use super::heard::Heard;
use super::upstream::{self, Secrets};

/// The installation's providers, and where may be called.
#[derive(Debug, Clone)]
pub struct Installation {
    pub(super) offers: Vec<Offered>,
    /// The rules for the addresses that tenants name.
    pub(super) policy: Policy,
    /// Where Notion is asked.
    pub(super) notion: Notion,
    /// The model that embeds for organisations that chose none, as it stands on vectors.
    pub(super) embedding: Option<String>,
}

/// One provider of the installation.
#[derive(Debug, Clone)]
pub(super) struct Offered {
    pub(super) kind: ProviderKind,
    pub(super) upstream: std::sync::Arc<Upstream>,
    /// Whether it takes no key: then nobody is billed for it.
    pub(super) free: bool,
    /// What it said of its models, where no list does.
    pub(super) heard: std::sync::Arc<Heard>,
}

impl Default for Installation {
    fn default() -> Self {
        Self::new(Policy::default())
    }
}

impl Installation {
    /// An installation without providers of its own, whose tenants may call what the policy allows.
    /// # Panics
    /// Never: the address of Notion is one.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let notion = Notion::at(notion::BASE_URL).expect("it is an address");
        Self { offers: Vec::new(), policy, notion, embedding: None }
    }

    /// The same with Notion at another address.
    /// # Errors
    /// When it is none.
    pub fn with_notion(mut self, base_url: &str) -> Result<Self, egress::InvalidEndpoint> {
        self.notion = Notion::at(base_url)?;
        Ok(self)
    }

    /// The same with a provider. The first of each kind counts.
    /// # Errors
    /// [`InvalidUpstream`].
    pub fn with(
        mut self,
        kind: ProviderKind,
        base_url: Option<&str>,
        key: Option<&SecretText>,
    ) -> Result<Self, InvalidUpstream> {
        let free = key.is_none();
        let secrets = Secrets::of_key(key);
        let upstream = upstream::build(kind, base_url.unwrap_or(kind.base_url()), &secrets)?;
        self.offers.push(Offered { kind, upstream: upstream.into(), free, heard: std::sync::Arc::default() });
        Ok(self)
    }

    /// The same with a model of the installation's OpenAI-compatible server in place of the embedded one, for the documents of
    /// organisations that chose none.
    #[must_use]
    pub fn embedding(mut self, model: &ModelName) -> Self {
        self.embedding = Some(format!("{}/{model}", ProviderKind::OpenAi.as_str()));
        self
    }

    /// The rules for the installation's own providers, and for Notion: their addresses are allowed, since the operator named them. Tenants' are not
    /// allowed by that: a tenant who could call the operator's model server directly would shed its price.
    pub(super) fn own_policy(&self) -> Policy {
        let mut policy = self.policy.clone();
        let endpoints = self.offers.iter().filter_map(|offered| offered.upstream.endpoint());
        let endpoints = endpoints.chain([self.notion.endpoint()]);
        policy.allow.extend(endpoints.map(|at| Allowed::Host { host: at.host().to_owned(), port: Some(at.port()) }));
        policy
    }
}
