//! Who is calling, by which name: behind a trusted proxy its word counts, otherwise only what the connection shows.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use url::Url;

use crate::config::Server;

/// Where the request comes from: the connection's peer, or behind trusted proxies the rightmost address that is none.
#[must_use]
pub fn address(request: &HttpRequest, server: &Server) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    if !is_trusted(peer, server) {
        return peer;
    }
    let (standard, usual) = (all(request.headers(), "forwarded"), all(request.headers(), "x-forwarded-for"));
    let by_usual = || nearest(peer, &usual.split(',').map(|hop| hop.trim().to_owned()).collect::<Vec<_>>(), server);
    let by_standard = || nearest(peer, &forwarded(&standard, "for"), server);
    match (standard.is_empty(), usual.is_empty()) {
        (_, true) => by_standard(),
        (true, false) => by_usual(),
        // Proxies write one of the two and let the other through: where they differ, one is the client's invention.
        (false, false) => Some(by_standard()).filter(|found| *found == by_usual()).unwrap_or(peer),
    }
}

/// The rightmost hop that is no trusted proxy.
fn nearest(peer: IpAddr, hops: &[String], server: &Server) -> IpAddr {
    let mut nearest = peer;
    for hop in hops.iter().rev() {
        match hop_address(hop) {
            Some(ip) => nearest = ip,
            None => break,
        }
        if !is_trusted(nearest, server) {
            break;
        }
    }
    nearest
}

/// The values of one parameter of `Forwarded`, hop by hop (RFC 7239 §4).
fn forwarded(header: &str, wanted: &str) -> Vec<String> {
    let hop = |element: &str| {
        element.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim_matches('"').to_owned())
        })
    };
    header.split(',').filter_map(hop).collect()
}

/// An address as hops write it: plain, with a port, or in brackets (RFC 7239 §6).
fn hop_address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    hop.parse().ok().or_else(with_port).or_else(in_brackets)
}

fn is_trusted(peer: IpAddr, server: &Server) -> bool {
    let peer = peer.to_canonical();
    server.trusted_proxies.iter().any(|network| network.contains(&peer))
}

/// Whether the request was meant for us (RFC 9110 §7.4): every name it gives is the issuer's.
#[must_use]
pub fn is_for_us(request: &HttpRequest, server: &Server) -> bool {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let trusted = peer.is_some_and(|peer| is_trusted(peer, server));
    let named = forwarded_host(request).filter(|_| trusted);
    let mut hosts = request.headers().get_all("host");
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(host) = named.or_else(|| host.to_str().ok().map(str::to_owned)) else { return false };
    let in_target = request.uri().authority();
    names_us(&host, &server.base_url)
        && in_target.is_none_or(|authority| names_us(authority.as_str(), &server.base_url))
}

/// The name that the nearest proxy was asked by.
fn forwarded_host(request: &HttpRequest) -> Option<String> {
    let standard = forwarded(&all(request.headers(), "forwarded"), "host").pop();
    standard
        .or_else(|| all(request.headers(), "x-forwarded-host").rsplit(',').next().map(|h| h.trim().to_owned()))
        .filter(|host| !host.is_empty())
}

fn names_us(host: &str, base: &Url) -> bool {
    let ours = base.host_str().unwrap_or_default();
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => (name, port.parse().ok()),
        _ => (host, None),
    };
    let default = if base.scheme() == "https" { 443 } else { 80 };
    name.eq_ignore_ascii_case(ours) && port.unwrap_or(default) == base.port_or_known_default().unwrap_or(default)
}

fn all(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<&str> = headers.get_all(name).filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a180_hops_are_read_in_every_spelling() {
        let header = "for=192.0.2.1, For=\"[2001:db8::1]:4711\";proto=https, for=198.51.100.7:80;host=id.example.com";
        let hops = forwarded(header, "for");
        let addresses: Vec<Option<IpAddr>> = hops.iter().map(|hop| hop_address(hop)).collect();
        let ip = |text: &str| text.parse::<IpAddr>().ok();
        assert_eq!(addresses, [ip("192.0.2.1"), ip("2001:db8::1"), ip("198.51.100.7")]);
        assert_eq!(forwarded(header, "host"), ["id.example.com"]);
        assert_eq!(hop_address("unknown"), None);
    }

    #[test]
    fn a179_only_the_issuers_own_name_is_ours() {
        let base = Url::parse("https://id.example.com/").expect("a URL");
        for ours in ["id.example.com", "ID.example.com", "id.example.com:443"] {
            assert!(names_us(ours, &base), "{ours}");
        }
        for other in ["evil.test", "id.example.com:8443", "id.example.com.evil.test", "", "id.example.com:x"] {
            assert!(!names_us(other, &base), "{other}");
        }
        let local = Url::parse("http://127.0.0.1:8080/").expect("a URL");
        assert!(names_us("127.0.0.1:8080", &local));
        assert!(!names_us("127.0.0.1", &local));
        let six = Url::parse("http://[::1]:8080/").expect("a URL");
        assert!(names_us("[::1]:8080", &six));
    }
}
