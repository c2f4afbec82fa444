//! Network addresses in lists: single ones and networks in CIDR form.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// Text that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an address such as 192.0.2.7 or a network such as 192.0.2.0/24 or 2001:db8::/32")]
pub struct InvalidNetwork;

/// Reads an address or a network; an address is a network of one.
/// # Errors
/// [`InvalidNetwork`] for anything else.
pub fn network(text: &str) -> Result<IpNet, InvalidNetwork> {
    text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| InvalidNetwork)
}

/// Whether an address lies in a network, both as text. What cannot be read lies nowhere. An IPv4 address that came over an IPv6
/// socket counts as IPv4.
#[must_use]
pub fn within(address: &str, allowed: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    network(allowed).is_ok_and(|network| network.contains(&address.to_canonical()))
}

/// Where tries come from, for counting them: an IPv4 address as it is, an IPv6 one as its /64 network, since whoever has one
/// address of that has them all.
#[must_use]
pub fn source(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(address) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

/// An address or a network, as people type it into a list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Network(String);

impl Network {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;
    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        network(text).map(|_| Self(text.to_owned()))
    }
}

impl serde::Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Network {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Network".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "maxLength": 43,
            "description": "An address, or a network in CIDR form.",
            "examples": ["192.0.2.7", "2001:db8::/32"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_in_their_networks_only() {
        assert!(within("192.0.2.7", "192.0.2.0/24"));
        assert!(within("192.0.2.7", "192.0.2.7"));
        assert!(within("::ffff:192.0.2.7", "192.0.2.0/24"));
        assert!(!within("192.0.3.7", "192.0.2.0/24"));
        assert!(!within("not an address", "0.0.0.0/0"));
        assert!(!within("192.0.2.7", "everywhere"));
        assert!(network("2001:db8::/32").is_ok());
        assert_eq!("192.0.2.0/33".parse::<Network>(), Err(InvalidNetwork));
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(source("192.0.2.7"), source("192.0.2.8"));
    }
}
