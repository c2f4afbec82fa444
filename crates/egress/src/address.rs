//! Which addresses lie on the public internet: the table of those that do not.
//!
//! Sources: the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and the registries as of 2026-10).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// IPv4 networks that nobody reaches over the internet, or that mean this machine, this network, or everybody.
const CLOSED_V4: [&str; 17] = [
    "0.0.0.0/8",       // this host, this network (RFC 791)
    "10.0.0.0/8",      // private (RFC 1918)
    "100.64.0.0/10",   // carriers' address translation (RFC 6598)
    "127.0.0.0/8",     // loopback (RFC 1122)
    "169.254.0.0/16",  // link-local, and clouds' metadata (RFC 3927)
    "172.16.0.0/12",   // private (RFC 1918)
    "192.0.0.0/24",    // protocol assignments (RFC 6890)
    "192.0.2.0/24",    // documentation (RFC 5737)
    "192.31.196.0/24", // AS112 (RFC 7535)
    "192.52.193.0/24", // multicast tunnels (RFC 7450)
    "192.88.99.0/24",  // 6to4 relays, withdrawn (RFC 7526)
    "192.168.0.0/16",  // private (RFC 1918)
    "192.175.48.0/24", // AS112 (RFC 7534)
    "198.18.0.0/15",   // benchmarks (RFC 2544)
    "198.51.100.0/24", // documentation (RFC 5737)
    "203.0.113.0/24",  // documentation (RFC 5737)
    "224.0.0.0/3",     // multicast, reserved, broadcast (RFC 5771, RFC 1112)
];

/// The one block from which global unicast addresses have been given out (RFC 4291 section 2.4, IANA). All else is closed.
const OPEN_V6: &str = "2000::/3";

/// Closed networks inside that block. Those that carry an IPv4 address (6to4, Teredo) are closed whole: no server that we would
/// call is reached in no other way.
const CLOSED_V6: [&str; 6] = [
    "2001::/23",         // protocol assignments: Teredo, benchmarks, ORCHID and others (RFC 2928)
    "2001:db8::/32",     // documentation (RFC 3849)
    "2002::/16",         // 6to4 (RFC 3056)
    "2620:4f:8000::/48", // AS112 (RFC 7534)
    "3ffe::/16",         // the old test network, given back (RFC 3701)
    "3fff::/20",         // documentation (RFC 9637)
];

struct Table {
    closed_v4: Vec<Ipv4Net>,
    open_v6: Ipv6Net,
    closed_v6: Vec<Ipv6Net>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table {
    closed_v4: CLOSED_V4.iter().map(|net| net.parse().expect("the table holds networks")).collect(),
    open_v6: OPEN_V6.parse().expect("the table holds networks"),
    closed_v6: CLOSED_V6.iter().map(|net| net.parse().expect("the table holds networks")).collect(),
});

/// Whether an address is global unicast: a host on the public internet. IPv6 forms that carry an IPv4 address (mapped, compatible,
/// NAT64, 6to4, Teredo) never are: who means an IPv4 host can say so.
#[must_use]
pub fn global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => global_v4(address),
        IpAddr::V6(address) => global_v6(address),
    }
}

fn global_v4(address: Ipv4Addr) -> bool {
    !TABLE.closed_v4.iter().any(|net| net.contains(&address))
}

fn global_v6(address: Ipv6Addr) -> bool {
    TABLE.open_v6.contains(&address) && !TABLE.closed_v6.iter().any(|net| net.contains(&address))
}

/// Whether a network of an allow-list holds the address; a mapped address counts as the IPv4 address that it reaches.
pub(crate) fn within(address: IpAddr, net: IpNet) -> bool {
    net.contains(&address.to_canonical())
}
