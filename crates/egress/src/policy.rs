//! What may be called: everything on the public internet over TLS, and what the operator allows besides.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::str::FromStr;

use ipnet::IpNet;

use crate::endpoint::{Endpoint, normal};
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
        let plain = !text.contains(['@', '/', '*']) && !authority.host().is_empty();
        // `host:` and `host:99999` parse as authorities without a port.
        let whole = authority.port().is_some() || !text.rsplit(']').next().unwrap_or("").contains(':');
        if !plain || !whole || (authority.port().is_some() && authority.port_u16().is_none()) {
            return Err(InvalidAllowed);
        }
        Ok(Self::Host { host: normal(authority.host()), port: authority.port_u16() })
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
