//! What the operator offers to all organisations: providers with the installation's own keys.

use domain::models::ProviderKind;
use domain::secret::SecretText;
use egress::{Allowed, Policy};
use gateway::Upstream;
use gateway::providers::InvalidUpstream;

use super::heard::Heard;
use super::upstream::{self, Secrets};

/// The installation's providers, and where may be called.
#[derive(Debug, Clone, Default)]
pub struct Installation {
    pub(super) offers: Vec<Offered>,
    /// The rules for the addresses that tenants name.
    pub(super) policy: Policy,
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

impl Installation {
    /// An installation without providers of its own, whose tenants may call what the policy allows.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { offers: Vec::new(), policy }
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

    /// The rules for the installation's own providers: their addresses are allowed, since the operator named them. Tenants' are not
    /// allowed by that: a tenant who could call the operator's model server directly would shed its price.
    pub(super) fn own_policy(&self) -> Policy {
        let mut policy = self.policy.clone();
        let endpoints = self.offers.iter().filter_map(|offered| offered.upstream.endpoint());
        policy.allow.extend(endpoints.map(|at| Allowed::Host { host: at.host().to_owned(), port: Some(at.port()) }));
        policy
    }
}
