//! What may be called: everything on the public internet over TLS, and what the operator allows besides.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::str::FromStr;

use ipnet::IpNet;

use crate::endpoint::{Endpoint, normal, port};
use crate::error::Error;
use crate::{address, global};

/// The rules of one installation. They hold for all its tenants alike.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What the operator allows besides the public internet, also without TLS: local model servers, mostly.
    pub allow: Vec<Allowed>,
    /// Where this program itself listens. Never called, whatever else is allowed; an unspecified address means all of this machine.
    pub own: Vec<SocketAddr>,
}

/// One entry of the allow-list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// A host as it stands in URLs, wherever its name leads, at one port or at all.
    Host {
        /// In lower case, without brackets and final dot.
        host: String,
        /// All ports when absent.
        port: Option<u16>,
    },
    /// Every address of a network.
    Network(IpNet),
}

/// Text that is no entry of an allow-list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a host, a host and port such as localhost:11434, or a network such as 10.1.0.0/16")]
pub struct InvalidAllowed;

impl FromStr for Allowed {
    type Err = InvalidAllowed;
    fn from_str(text: &str) -> Result<Self, InvalidAllowed> {
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Self::Network(net));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Host { host: address.to_string(), port: None });
        }
        let authority: http::uri::Authority = text.parse().map_err(|_| InvalidAllowed)?;
        let port = port(&authority).ok_or(InvalidAllowed)?;
        let host = normal(authority.host());
        if host.is_empty() || host.contains('*') {
            return Err(InvalidAllowed);
        }
        Ok(Self::Host { host, port })
    }
}

impl Policy {
    /// Whether the operator named this host and port, so that its name may lead anywhere.
    fn named(&self, endpoint: &Endpoint) -> bool {
        self.allow.iter().any(|allowed| match allowed {
            Allowed::Host { host, port } => *host == endpoint.host() && port.is_none_or(|port| port == endpoint.port()),
            Allowed::Network(_) => false,
        })
    }

    /// Checks what can be known of an address before the host's name is looked up, so that mistakes are told early. The rest is
    /// checked by each call.
    /// # Errors
    /// [`Error::Refused`] when no call can succeed.
    pub fn precheck(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let host = endpoint.host();
        let loopback = host == "localhost" || host.ends_with(".localhost");
        let address = if loopback { Some(IpAddr::from([127, 0, 0, 1])) } else { host.parse().ok() };
        if let Some(address) = address {
            return self.check(endpoint, &[SocketAddr::new(address, endpoint.port())]);
        }
        // A name may lead into an allowed network.
        let perhaps = self.named(endpoint) || self.allow.iter().any(|allowed| matches!(allowed, Allowed::Network(_)));
        if endpoint.tls() || perhaps {
            return Ok(());
        }
        Err(Error::Refused(format!("{host} is not allowed without TLS")))
    }

    /// Checks every address that the host's name gave.
    /// # Errors
    /// [`Error::Refused`] when one of them may not be called.
    pub(crate) fn check(&self, endpoint: &Endpoint, addresses: &[SocketAddr]) -> Result<(), Error> {
        let named = self.named(endpoint);
        for socket in addresses {
            let ip = socket.ip();
            if self.is_own(*socket) {
                return Err(Error::Refused(format!("{socket} is this program itself")));
            }
            let listed = named
                || self.allow.iter().any(|allowed| match allowed {
                    Allowed::Network(net) => address::within(ip, *net),
                    Allowed::Host { .. } => false,
                });
            if listed {
                continue;
            }
            if !global(ip) {
                return Err(Error::Refused(format!("{} leads to {ip}, which is not on the internet", endpoint.host())));
            }
            if !endpoint.tls() {
                return Err(Error::Refused(format!("{} is not allowed without TLS", endpoint.host())));
            }
        }
        Ok(())
    }

    fn is_own(&self, called: SocketAddr) -> bool {
        self.own.iter().any(|own| {
            own.port() == called.port()
                && (own.ip().to_canonical() == called.ip().to_canonical()
                    || (own.ip().is_unspecified() && is_this_machine(called.ip())))
        })
    }
}

/// Whether an address is one of this machine's: only then can a socket be bound to it.
fn is_this_machine(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified() || UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[&str]) -> Policy {
        Policy { allow: allow.iter().map(|text| text.parse().expect("an entry")).collect(), own: Vec::new() }
    }

    fn check(policy: &Policy, url: &str, addresses: &[&str]) -> bool {
        let endpoint = Endpoint::new(url).expect("a good URL");
        let socket = |text: &&str| SocketAddr::new(text.parse().expect("an address"), endpoint.port());
        policy.check(&endpoint, &addresses.iter().map(socket).collect::<Vec<_>>()).is_ok()
    }

    #[test]
    fn one_bad_address_among_good_ones_refuses_all() {
        let open = Policy::default();
        assert!(check(&open, "https://a.example", &["1.1.1.1", "2606:4700::1"]));
        assert!(!check(&open, "https://a.example", &["1.1.1.1", "10.0.0.1"]));
        assert!(!check(&open, "https://a.example", &["::ffff:1.1.1.1"]));
    }

    #[test]
    fn without_tls_only_what_is_allowed() {
        assert!(!check(&Policy::default(), "http://a.example", &["1.1.1.1"]));
        assert!(check(&policy(&["a.example"]), "http://a.example", &["1.1.1.1"]));
    }

    #[test]
    fn the_allow_list_opens_what_it_says_and_no_more() {
        let named = policy(&["Models.local.:11434"]);
        assert!(check(&named, "http://models.local:11434", &["10.0.0.1"]));
        assert!(!check(&named, "http://models.local:22", &["10.0.0.1"]));
        assert!(!check(&named, "http://other.local:11434", &["10.0.0.1"]));
        let net = policy(&["10.1.0.0/16"]);
        assert!(check(&net, "http://x.local", &["10.1.2.3", "::ffff:10.1.2.3"]));
        assert!(!check(&net, "http://x.local", &["10.1.2.3", "10.2.0.1"]));
        assert!(check(&policy(&["127.0.0.1:8000"]), "http://127.0.0.1:8000", &["127.0.0.1"]));
        assert!(check(&policy(&["[::1]:8000"]), "http://[::1]:8000", &["::1"]));
        assert!(check(&policy(&["::1"]), "http://[::1]:9", &["::1"]));
        for wrong in ["", "a b", "http://a", "a/b", "u@a", "10.0.0.0/33", "a:", "a:99999", "*", ":80"] {
            assert_eq!(wrong.parse::<Allowed>(), Err(InvalidAllowed), "{wrong}");
        }
    }

    #[test]
    fn what_can_never_be_called_is_told_before_any_look_up() {
        let early = |policy: &Policy, url: &str| policy.precheck(&Endpoint::new(url).expect("a good URL")).is_ok();
        let open = Policy::default();
        for good in ["https://api.example.com/v1", "https://1.1.1.1"] {
            assert!(early(&open, good), "{good}");
        }
        for wrong in [
            "http://api.example.com",
            "https://127.0.0.1",
            "https://localhost",
            "https://a.localhost",
            "https://[::1]",
            "https://10.0.0.1",
            "https://169.254.169.254",
        ] {
            assert!(!early(&open, wrong), "{wrong}");
        }
        assert!(early(&policy(&["localhost:11434"]), "http://localhost:11434"));
        assert!(!early(&policy(&["localhost:11434"]), "http://localhost:11435"));
        assert!(early(&policy(&["10.0.0.0/8"]), "http://models.local"));
    }

    #[test]
    fn this_program_never_calls_itself() {
        let mut all = policy(&["127.0.0.0/8", "::/0", "0.0.0.0/0"]);
        all.own = vec!["0.0.0.0:8080".parse().expect("a socket"), "192.0.2.7:9090".parse().expect("a socket")];
        assert!(!check(&all, "http://127.0.0.1:8080", &["127.0.0.1"]));
        assert!(!check(&all, "http://x:8080", &["127.8.9.1"]));
        assert!(!check(&all, "http://x:8080", &["::1"]));
        assert!(!check(&all, "http://x:8080", &["::ffff:127.0.0.1"]));
        assert!(!check(&all, "http://x:9090", &["192.0.2.7"]));
        assert!(check(&all, "http://127.0.0.1:8081", &["127.0.0.1"]));
        // Another machine may use the same port.
        assert!(check(&all, "http://x:8080", &["198.51.100.9"]));
    }
}
