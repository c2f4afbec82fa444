//! The one way out: every request that Rowhouse makes to somebody else's server goes through [`Egress`].
//!
//! An address is looked up once, every answer is checked ([`global`]), and the connection goes to exactly the checked addresses, so
//! a name that changes its mind between check and connection gains nothing. No proxy variables, no redirects (a 3xx is an answer
//! like any other), no compression. Why hyper's connections and a pool of our own: decision 10.

mod address;
mod connect;
mod endpoint;
mod error;
mod lookups;
mod policy;
mod pool;
mod send;

pub use address::global;
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use error::Error;
pub use policy::{Allowed, InvalidAllowed, Policy};
pub use send::{Body, Limits, Request, Response};

use std::sync::Arc;

/// Makes requests under one policy, over connections that it keeps; cheap to clone. One lives as long as its runtime.
#[derive(Clone)]
pub struct Egress(Arc<Inner>, Option<u128>);

struct Inner {
    policy: Policy,
    tls: tokio_rustls::TlsConnector,
    pool: Arc<pool::Pool>,
    lookups: lookups::Lookups,
}

impl Egress {
    /// A way out under a policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let (pool, lookups) = (Arc::default(), lookups::Lookups::default());
        Self(Arc::new(Inner { policy, tls: connect::tls(), pool, lookups }), None)
    }

    /// The same way out for a tenant, by its number: the names that it calls are looked up a few at a time.
    #[must_use]
    pub fn for_tenant(&self, tenant: u128) -> Self {
        Self(self.0.clone(), Some(tenant))
    }

    /// The rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}
