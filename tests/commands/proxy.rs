//! Behind a reverse proxy, and pretending to be.

use crate::http::encoded;
use crate::provider;
use crate::stage::{Server, Stage};

/// How often wrong credentials are answered before this address has to wait.
const FAILURES: usize = 3;

fn stage(trusted: &str) -> (crate::evil_idp::EvilIdp, Stage) {
    let idp = provider();
    let stage = Stage::at(&idp);
    let text = std::fs::read_to_string(stage.config().join("vestibule.toml")).expect("a file");
    let more = format!("{text}[limits]\nclient_failures_per_minute = {FAILURES}\n[proxy]\ntrusted = [{trusted}]\n");
    stage.write("vestibule.toml", &more);
    (idp, stage)
}

/// The status for wrong credentials with these headers: 401, or 429 or 503 once the address has to wait.
fn guess(server: &Server, headers: &[(&str, &str)]) -> u16 {
    let mut headers = headers.to_vec();
    headers.push(("Content-Type", "application/x-www-form-urlencoded"));
    let body = encoded(&[
        ("grant_type", "authorization_code"),
        ("client_id", "access"),
        ("client_secret", "wrong"),
        ("code", "x"),
    ]);
    server.ask("POST", "/acs/token", &headers, &body).status
}

fn exhaust(server: &Server, headers: &[(&str, &str)]) {
    for _ in 0..FAILURES {
        assert_eq!(guess(server, headers), 401);
    }
    assert_ne!(guess(server, headers), 401, "{headers:?}");
}

#[test]
fn a180_from_an_untrusted_peer_forwarding_headers_count_for_nothing() {
    let (_idp, stage) = stage("");
    let server = stage.serve();
    let evil = [
        ("X-Forwarded-Host", "evil.test"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Prefix", "/evil"),
        ("X-Forwarded-Uri", "/acs/jwks"),
        ("X-Original-URL", "/acs/jwks"),
        ("X-Rewrite-URL", "/acs/jwks"),
        ("Forwarded", "host=evil.test;proto=https;for=10.9.8.7"),
        ("X-Forwarded-For", "10.9.8.7"),
    ];
    let plain = server.get("/acs/.well-known/openid-configuration");
    let forwarded = server.ask("GET", "/acs/.well-known/openid-configuration", &evil, "");
    assert_eq!((forwarded.status, forwarded.body), (200, plain.body));
    assert_eq!(server.ask("GET", "/nowhere", &evil, "").status, 404, "the path is never a header's");
    exhaust(&server, &[]);
    assert_ne!(guess(&server, &[("X-Forwarded-For", "10.1.1.1")]), 401, "the peer is who it is");
    assert_ne!(guess(&server, &[("Forwarded", "for=10.1.1.1")]), 401);
}

#[test]
fn a180_behind_a_trusted_proxy_the_rightmost_untrusted_address_is_the_client() {
    let (_idp, stage) = stage("\"127.0.0.1\", \"10.0.0.0/8\"");
    let server = stage.serve();
    exhaust(&server, &[("X-Forwarded-For", "203.0.113.7")]);
    assert_eq!(guess(&server, &[("X-Forwarded-For", "203.0.113.8")]), 401, "another client");
    // What a client writes itself stands further left.
    assert_ne!(guess(&server, &[("X-Forwarded-For", "198.51.100.1, 203.0.113.7")]), 401);
    assert_ne!(
        guess(&server, &[("X-Forwarded-For", "198.51.100.1, 203.0.113.7, 10.0.0.2")]),
        401,
        "a chain of proxies"
    );
    assert_ne!(guess(&server, &[("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "203.0.113.7")]), 401);
    // IPv6 by its /64.
    exhaust(&server, &[("X-Forwarded-For", "2001:db8:1:2::1")]);
    assert_ne!(guess(&server, &[("X-Forwarded-For", "2001:db8:1:2:ffff::9")]), 401);
    assert_eq!(guess(&server, &[("X-Forwarded-For", "2001:db8:1:3::1")]), 401);
}

#[test]
fn a181_names_that_only_look_alike_count_for_nothing() {
    let (_idp, stage) = stage("\"127.0.0.1\"");
    let server = stage.serve();
    exhaust(&server, &[]);
    for header in
        [("X_Forwarded_For", "203.0.113.7"), ("X-Forwarded-For-", "203.0.113.7"), ("X-Forwarded-Fo", "203.0.113.7")]
    {
        assert_ne!(guess(&server, &[header]), 401, "{header:?}");
    }
    for nonsense in ["unknown", "", "203.0.113", "203.0.113.9:1234x", "_hidden"] {
        assert_ne!(guess(&server, &[("X-Forwarded-For", nonsense)]), 401, "{nonsense}");
    }
    let ten = [("X-Forwarded-For", "198.51.100.1"); 10];
    assert_eq!(guess(&server, &ten), 401);
}

#[test]
fn behind_a_trusted_proxy_the_forwarded_host_is_checked_like_any_other() {
    let (_idp, stage) = stage("\"127.0.0.1\"");
    let server = stage.serve();
    let status = |host: &str, forwarded: &str| {
        let bytes = crate::http::request("GET", "/acs/jwks", host, &[("X-Forwarded-Host", forwarded)], "");
        crate::http::raw(server.address, bytes.as_bytes()).expect("an answer").status
    };
    assert_eq!(status("backend.internal:9000", "127.0.0.1:8080"), 200);
    assert_eq!(status("127.0.0.1:8080", "evil.test"), 421);
    assert_eq!(status("127.0.0.1:8080", "127.0.0.1:8080, evil.test"), 421);
}
