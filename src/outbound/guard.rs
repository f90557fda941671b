//! Which addresses we connect to: none that belongs to a private, special or loopback network, but for
//! those that the admin names in `[outbound] allow_private`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use url::{Host, Url};

use crate::base::address::is_loopback;

/// Ports of well-known services that don't speak HTTP, where a request could still do harm.
const PORTS_REFUSED: &[u16] = &[
    7, 9, 19, 21, 22, 23, 25, 53, 69, 79, 110, 111, 119, 123, 135, 137, 138, 139, 143, 161, 179, 389, 445, 465, 512,
    513, 514, 515, 587, 636, 873, 993, 995, 1433, 1521, 2049, 2379, 3306, 3389, 5432, 5672, 5900, 6379, 6380, 9042,
    11211, 26379, 27017,
];

/// A request that is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardFault {
    #[error("{0} is a private or special address and not in [outbound] allow_private")]
    Address(IpAddr),
    #[error("the name {0} has no address")]
    NoAddress(String),
    #[error("the port {0} belongs to a service that is not HTTP")]
    Port(u16),
    #[error("only https is spoken, and http on loopback")]
    Scheme,
    #[error("the address carries a user name or password")]
    UserInfo,
}

/// The rule, made once from `[outbound] allow_private`.
#[derive(Clone, Debug)]
pub struct Guard {
    allow: Vec<IpNet>,
}

impl Guard {
    pub fn new(allow_private: &[IpNet]) -> Self {
        Self { allow: allow_private.to_vec() }
    }

    /// Whether this very address may be dialled.
    pub fn permits(&self, ip: IpAddr) -> bool {
        let meant = embedded(ip);
        is_public(meant) || self.allow.iter().any(|net| net.contains(&meant) || net.contains(&ip))
    }

    /// What may be dialled of a name's addresses: all of them or, if one is bad, none.
    ///
    /// `localhost` is never anything but loopback (RFC 6761 §6.3), so there the permitted ones among its
    /// loopback addresses do.
    ///
    /// # Errors
    /// [`GuardFault::Address`] names the first bad one.
    pub fn vet(&self, name: &str, mut found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, GuardFault> {
        let permitted = |address: &SocketAddr| self.permits(address.ip());
        let loopback = |address: &SocketAddr| address.ip().is_loopback() && permitted(address);
        if name == "localhost" && found.iter().any(loopback) {
            found.retain(loopback);
        }
        match found.iter().find(|address| !permitted(address)) {
            Some(bad) => Err(GuardFault::Address(bad.ip())),
            None if found.is_empty() => Err(GuardFault::NoAddress(name.to_owned())),
            None => Ok(found),
        }
    }

    /// Judges a URL before a request: its scheme, its port, and its host if that is an address (no
    /// resolver is asked for one).
    ///
    /// # Errors
    /// [`GuardFault`] says what is wrong with it.
    pub fn judge(&self, url: &Url) -> Result<(), GuardFault> {
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url) => {}
            _ => return Err(GuardFault::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GuardFault::UserInfo);
        }
        if let Some(port) = url.port().filter(|port| PORTS_REFUSED.contains(port)) {
            return Err(GuardFault::Port(port));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(GuardFault::Scheme),
        };
        if self.permits(literal) { Ok(()) } else { Err(GuardFault::Address(literal)) }
    }
}

/// The IPv4 address within an IPv6 one, where the network would unwrap it: mapped (RFC 4291 §2.5.5.2),
/// NAT64 (RFC 6052) and 6to4 (RFC 3056).
fn embedded(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            v4(high, low)
        }
        _ => ip,
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Against the IANA registry of special IPv4 addresses (RFC 6890).
fn is_public_v4(ip: Ipv4Addr) -> bool {
    !matches!(
        ip.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Only 2000::/3 is given out as global unicast; of that, Teredo, benchmarking and documentation are out.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        [0x2001, 0 | 2 | 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn sockets(ips: &[&str]) -> Vec<SocketAddr> {
        ips.iter().map(|text| SocketAddr::new(ip(text), 0)).collect()
    }

    #[test]
    fn a192_private_and_special_addresses_are_refused_unless_allowed() {
        let guard = Guard::new(&[]);
        for private in [
            "127.0.0.1",
            "127.255.255.254",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fd00::1",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "::7f00:1",
            "100::1",
            "5f00::1",
            "64:ff9b:1::1",
        ] {
            assert!(!guard.permits(ip(private)), "{private}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(guard.permits(ip(public)), "{public}");
        }
        let allowing = Guard::new(&["10.0.0.0/8".parse().expect("a network")]);
        assert!(allowing.permits(ip("10.1.2.3")));
        assert!(!allowing.permits(ip("127.0.0.1")));
    }

    #[test]
    fn a193_an_embedded_ipv4_address_is_what_is_judged() {
        let guard = Guard::new(&[]);
        for wrapped in ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:a9fe:a9fe", "2002:0a00:1::1"] {
            assert!(!guard.permits(ip(wrapped)), "{wrapped}");
        }
        assert!(guard.permits(ip("64:ff9b::808:808")), "a public address behind NAT64");
        let allowing = Guard::new(&["127.0.0.0/8".parse().expect("a network")]);
        assert!(allowing.permits(ip("::ffff:127.0.0.1")));
        for written_otherwise in ["https://2130706433/", "https://0177.1/", "https://0x7f.1/", "https://127.1/"] {
            let url = Url::parse(written_otherwise).expect("a URL");
            assert_eq!(guard.judge(&url), Err(GuardFault::Address(ip("127.0.0.1"))), "{written_otherwise}");
        }
        for literal in ["https://[::ffff:7f00:1]/", "https://[::1]/", "https://[64:ff9b::a00:1]/"] {
            assert!(guard.judge(&Url::parse(literal).expect("a URL")).is_err(), "{literal}");
        }
    }

    #[test]
    fn a194_one_bad_address_among_several_refuses_the_name() {
        let guard = Guard::new(&[]);
        assert_eq!(
            guard.vet("rebind.example.com", sockets(&["8.8.8.8", "10.0.0.1"])),
            Err(GuardFault::Address(ip("10.0.0.1")))
        );
        let good = sockets(&["8.8.8.8", "2606:4700::1111"]);
        assert_eq!(guard.vet("good.example.com", good.clone()), Ok(good));
        assert!(guard.vet("empty.example.com", Vec::new()).is_err());
        let allowing = Guard::new(&["127.0.0.0/8".parse().expect("a network")]);
        assert_eq!(allowing.vet("localhost", sockets(&["::1", "127.0.0.1"])), Ok(sockets(&["127.0.0.1"])));
        assert!(allowing.vet("localhost", sockets(&["::1"])).is_err());
        assert!(guard.vet("localhost", sockets(&["::1", "127.0.0.1"])).is_err());
    }

    #[test]
    fn a196_other_schemes_user_info_and_ports_of_other_services_are_refused() {
        let guard = Guard::new(&["127.0.0.0/8".parse().expect("a network")]);
        let judged = |text: &str| guard.judge(&Url::parse(text).expect("a URL"));
        for scheme in ["file:///etc/passwd", "gopher://id.example.com/x", "http://id.example.com/", "ftp://127.0.0.1/"]
        {
            assert_eq!(judged(scheme), Err(GuardFault::Scheme), "{scheme}");
        }
        assert_eq!(judged("https://user:pw@id.example.com/"), Err(GuardFault::UserInfo));
        assert_eq!(judged("https://id.example.com:22/"), Err(GuardFault::Port(22)));
        assert_eq!(judged("http://127.0.0.1:6379/"), Err(GuardFault::Port(6379)));
        assert_eq!(judged("https://id.example.com:8443/x"), Ok(()));
        assert_eq!(judged("http://127.0.0.1:18080/x"), Ok(()));
    }
}
