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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_global(text: &str) -> bool {
        global(text.parse().expect("an address"))
    }

    #[test]
    fn hosts_on_the_internet_are_global() {
        for text in
            ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "223.255.255.255"]
        {
            assert!(is_global(text), "{text}");
        }
        for text in ["2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1", "2001:200::1"] {
            assert!(is_global(text), "{text}");
        }
    }

    #[test]
    fn the_edges_of_every_closed_network_are_closed() {
        for net in &TABLE.closed_v4 {
            assert!(!global_v4(net.network()) && !global_v4(net.broadcast()), "{net}");
        }
        for net in &TABLE.closed_v6 {
            assert!(!global_v6(net.network()) && !global_v6(net.broadcast()), "{net}");
        }
    }

    #[test]
    fn every_form_of_an_inner_address_is_closed() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "169.254.169.254",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_global(text), "{text}");
        }
    }

    proptest! {
        /// The standard library knows the private ones too; ours is never more open than it.
        #[test]
        fn no_ipv4_address_that_the_standard_library_calls_special_is_global(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_broadcast()
                || address.is_documentation() || address.is_multicast() || address.is_unspecified();
            prop_assert!(!(special && global_v4(address)));
        }

        #[test]
        fn no_form_that_carries_an_ipv4_address_is_global(bits: u32, rest: u64) {
            let [.., a, b] = Ipv4Addr::from(bits).to_ipv6_mapped().segments();
            let [c, d, e, f, ..] = Ipv6Addr::from(u128::from(rest) << 64).segments();
            for form in [
                Ipv4Addr::from(bits).to_ipv6_mapped(),
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a, b),
                Ipv6Addr::new(0x64, 0xff9b, 1, c, d, e, a, b),
                Ipv6Addr::new(0x2002, a, b, c, d, e, f, 1),
                Ipv6Addr::new(0x2001, 0, c, d, e, f, !a, !b),
            ] {
                prop_assert!(!global(IpAddr::V6(form)), "{form}");
            }
        }

        #[test]
        fn no_ipv6_address_outside_the_one_block_is_global(bits: u128) {
            let address = Ipv6Addr::from(bits);
            prop_assert!(address.segments()[0] & 0xe000 == 0x2000 || !global_v6(address));
        }
    }
}
