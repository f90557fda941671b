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
    let forwarded = all(request.headers(), "x-forwarded-for");
    let mut nearest = peer;
    for hop in forwarded.rsplit(',').map(str::trim) {
        match hop.parse::<IpAddr>() {
            Ok(ip) => nearest = ip,
            Err(_) => break,
        }
        if !is_trusted(nearest, server) {
            break;
        }
    }
    nearest
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
    let forwarded = request.headers().get("x-forwarded-host").filter(|_| trusted);
    let mut hosts = request.headers().get_all("host");
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let host = forwarded.unwrap_or(host);
    let in_target = request.uri().authority();
    host.to_str().is_ok_and(|host| names_us(host, &server.base_url))
        && in_target.is_none_or(|authority| names_us(authority.as_str(), &server.base_url))
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
