//! HTTP as attackers speak it.

use std::io::{BufReader, Write as _};
use std::time::{Duration, Instant};

use crate::browser::Browser;
use crate::http::{Answer, connect, raw, read, request};
use crate::provider;
use crate::stage::{HOST, Server, Stage};

/// A stage that needs no provider, and a server on it.
fn serve() -> (Stage, Server) {
    let stage = Stage::new(Some("https://idp.example.com"));
    let server = stage.serve();
    (stage, server)
}

/// The status, 0 if the connection was closed without an answer.
fn status(server: &Server, bytes: impl AsRef<[u8]>) -> u16 {
    raw(server.address, bytes.as_ref()).map_or(0, |answer| answer.status)
}

fn is_alive(server: &Server) -> bool {
    server.get("/healthz").status == 200
}

const DISCOVERY: &str = "/acs/.well-known/openid-configuration";

#[test]
fn a179_another_host_is_misdirected_and_names_nothing() {
    let (_stage, server) = serve();
    let lines = [
        "Host: evil.test",
        "Host: 127.0.0.1:8081",
        "Host: 127.0.0.1",
        "Host: 127.0.0.1:8080.evil.test",
        "Host: 127.0.0.1:8080\r\nHost: evil.test",
        "Host: evil.test\r\nHost: 127.0.0.1:8080",
        "Host: user@127.0.0.1:8080",
        "Host:",
        "X: y",
    ];
    for path in [DISCOVERY, "/acs/jwks", "/acs/authorize", "/nowhere", "/"] {
        for line in lines {
            let bytes = format!("GET {path} HTTP/1.1\r\n{line}\r\nConnection: close\r\n\r\n");
            let answer = raw(server.address, bytes.as_bytes());
            let seen = answer.as_ref().map_or(0, |answer| answer.status);
            assert!(matches!(seen, 421 | 400), "{path} {line}: {seen}");
            assert!(!answer.is_some_and(|answer| answer.everything().contains("evil.test")));
        }
    }
    // Absolute form: the target's name counts too (RFC 9112 §3.2.2).
    let absolute = |target: &str| status(&server, request("GET", target, HOST, &[], ""));
    assert_eq!(absolute(&format!("http://evil.test{DISCOVERY}")), 421);
    assert_eq!(absolute(&format!("http://{HOST}{DISCOVERY}")), 200);
    let document = server.get(DISCOVERY).json();
    assert!(document["authorization_endpoint"].as_str().is_some_and(|at| at.starts_with("http://127.0.0.1:8080/")));
}

#[test]
fn a182_each_path_has_one_spelling() {
    let (_stage, server) = serve();
    for path in [
        "/acs;x/jwks",
        "//acs/jwks",
        "/acs/%6awks",
        "/ACS/jwks",
        "/x/../acs/jwks",
        "/acs%2fjwks",
        "/acs/jwks%3b",
        "/acs/jwks%00",
        "/acs/jwks/",
        "/./acs/jwks",
        "/acs\\jwks",
    ] {
        let seen = status(&server, request("GET", path, HOST, &[], ""));
        assert!(matches!(seen, 404 | 400), "{path}: {seen}");
    }
    for target in ["*", "acs/jwks", "", "?"] {
        let seen = status(&server, request("GET", target, HOST, &[], ""));
        assert!(matches!(seen, 400 | 404 | 0), "{target}: {seen}");
    }
}

#[test]
fn a183_requests_of_two_lengths_are_refused_and_the_connection_closed() {
    let (_stage, server) = serve();
    let smuggled = "0\r\n\r\nGET /acs/jwks HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
    let heads = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: +5",
        "Content-Length: -1",
        "Content-Length: 5x",
        "Content-Length: 0x5",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "X: a\r\n folded: b",
        "X\0: a",
        "X: a\0b",
        " X: a",
        "X-Forwarded-For : 10.0.0.1",
    ];
    for head in heads {
        let bytes = format!("POST /acs/token HTTP/1.1\r\nHost: {HOST}\r\n{head}\r\n\r\n{smuggled}");
        let mut stream = BufReader::new(connect(server.address));
        let _ = stream.get_mut().write_all(bytes.as_bytes());
        let first = read(&mut stream);
        assert!(first.as_ref().is_none_or(|answer| answer.status == 400), "{head}: {first:?}");
        let second: Option<Answer> = read(&mut stream);
        assert!(second.is_none(), "{head}: a second answer on the same connection: {second:?}");
    }
    assert!(is_alive(&server));
}

#[test]
fn a185_no_header_stands_for_a_method_and_unknown_methods_are_405() {
    let (_stage, server) = serve();
    let overridden =
        [("X-HTTP-Method-Override", "POST"), ("X-Method-Override", "POST"), ("User-Agent", "kube-probe/1.30")];
    for header in overridden {
        let answer = server.ask("GET", "/acs/token", &[header], "");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{header:?}");
    }
    for method in ["TRACE", "PUT", "DELETE", "PATCH", "PROPFIND", "BREW", "get"] {
        for path in ["/acs/authorize", "/acs/jwks", "/healthz"] {
            let answer = server.ask(method, path, &[], "");
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(answer.header("allow").is_some_and(|allow| allow.contains("GET")), "{method} {path}");
        }
    }
    assert!(matches!(status(&server, request("CONNECT", "evil.test:443", HOST, &[], "")), 400..=421 | 0));
}

#[test]
fn head_is_get_without_a_body_and_options_lists_what_is_there() {
    let (_stage, server) = serve();
    for path in [DISCOVERY, "/acs/jwks", "/healthz", "/readyz"] {
        let mut stream = BufReader::new(connect(server.address));
        let bytes = request("HEAD", path, HOST, &[], "");
        stream.get_mut().write_all(bytes.as_bytes()).expect("sent");
        let answer = read(&mut stream).expect("an answer");
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
        let body = server.get(path).body.len().to_string();
        assert_eq!(answer.header("content-length"), Some(body.as_str()), "{path}");
    }
    let options = server.ask("OPTIONS", "/acs/token", &[("Origin", "https://evil.test")], "");
    assert!(matches!(options.status, 200 | 204), "{}", options.everything());
    assert!(options.header("access-control-allow-origin").is_none(), "{}", options.everything());
    let unknown = server.ask("OPTIONS", "/nowhere", &[], "");
    assert_eq!(unknown.status, 404);
}

#[test]
fn a186_no_foreign_origin_may_read() {
    let (_stage, server) = serve();
    for origin in ["null", "https://evil.test", "https://rp.example.com", "http://127.0.0.1:8080"] {
        for (method, path) in
            [("GET", "/acs/userinfo"), ("POST", "/acs/token"), ("OPTIONS", "/acs/userinfo"), ("GET", "/acs/authorize")]
        {
            let answer = server.ask(method, path, &[("Origin", origin)], "");
            assert!(answer.header("access-control-allow-origin").is_none(), "{origin} {method} {path}");
            assert!(answer.header("access-control-allow-credentials").is_none(), "{origin} {method} {path}");
        }
    }
    let open = server.ask("GET", "/acs/jwks", &[("Origin", "https://evil.test")], "");
    assert_eq!(open.header("access-control-allow-origin"), Some("*"), "public keys are for everybody");
}

#[test]
fn a190_what_concerns_a_person_is_stored_nowhere() {
    let idp = provider();
    let stage = Stage::at(&idp);
    let server = stage.serve();
    for path in ["/acs/userinfo/a.css", "/acs/authorize/x.js", "/acs/token/a.png"] {
        let answer = server.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let mut browser = Browser::default();
    browser.login(&server, &[]).code();
    let callback = browser.visited.iter().find(|at| at.contains("response/oauth2")).expect("a callback").clone();
    let target = callback.strip_prefix("http://127.0.0.1:8080").expect("ours");
    let authorize = Browser::authorize_target(&[]);
    for path in [target, authorize.as_str(), "/acs/userinfo", "/acs/openid/logout", "/healthz", "/readyz"] {
        let answer = server.get(path);
        let cache = answer.header("cache-control").unwrap_or_default();
        assert!(cache.contains("no-store"), "{path}: {}", answer.everything());
    }
    assert_eq!(server.ask("POST", "/acs/token", &[], "").header("cache-control"), Some("no-store"));
}

#[test]
fn a200_headers_that_trickle_in_are_cut_off_and_others_are_served() {
    let (_stage, server) = serve();
    let began = Instant::now();
    let mut slow: Vec<_> = ["", "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n", "GET /heal"]
        .map(|start| {
            let mut stream = connect(server.address);
            stream.write_all(start.as_bytes()).expect("sent");
            BufReader::new(stream)
        })
        .into();
    let many: Vec<_> = (0..300).map(|_| connect(server.address)).collect();
    assert!(is_alive(&server), "with {} silent connections", many.len());
    for stream in &mut slow {
        let answer = read(stream);
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 408), "{answer:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(13), "{:?}", began.elapsed());
    assert!(is_alive(&server));
}

#[test]
fn a201_large_bodies_are_413_whether_they_are_announced_or_not() {
    let (_stage, server) = serve();
    let form = "Content-Type: application/x-www-form-urlencoded";
    for path in ["/acs/token", "/acs/authorize", "/acs/revoke"] {
        let announced =
            format!("POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{form}\r\nContent-Length: 1073741824\r\n\r\na=b");
        assert_eq!(status(&server, announced), 413, "{path}");
        let chunk = format!("{:x}\r\n{}\r\n", 16_384, "a".repeat(16_384));
        let head = format!("POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{form}\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(status(&server, head + &chunk.repeat(5)), 413, "{path}");
    }
    let packed = [("Content-Type", "application/x-www-form-urlencoded"), ("Content-Encoding", "gzip")];
    assert_eq!(server.ask("POST", "/acs/token", &packed, "\u{1f}packed").status, 400);
    assert!(is_alive(&server));
}

#[test]
fn a202_deep_or_broken_input_is_refused_and_the_process_lives() {
    let (_stage, server) = serve();
    let deep = "[".repeat(30_000);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let token = |body: &str| server.ask("POST", "/acs/token", &form, body).status;
    for body in [
        format!("client_assertion={deep}&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        format!("grant_type=authorization_code&code={}", "x".repeat(60_000)),
        "a=%ff%fe&b=%".to_owned(),
        "&".repeat(60_000),
        "=".repeat(60_000),
    ] {
        let seen = token(&body);
        assert!((400..500).contains(&seen), "{seen}");
    }
    let claims = Browser::authorize_target(&[("claims", &"[".repeat(10_000))]);
    assert!(server.get(&claims).status < 500);
    let bearer = format!("Bearer {}", "e30.".repeat(1000));
    assert_eq!(server.ask("GET", "/acs/userinfo", &[("Authorization", &bearer)], "").status, 401);
    assert!(is_alive(&server));
}

#[test]
fn large_or_many_headers_and_targets_are_4xx() {
    let (_stage, server) = serve();
    let long = "x".repeat(200_000);
    let many: String = (0..2000).map(|n| format!("X-{n}: y\r\n")).collect();
    let cookies = format!("Cookie: {}", "vestibule-login-0123456789=1.x; ".repeat(500));
    for head in [format!("X: {long}\r\n"), many, format!("{cookies}\r\n")] {
        let bytes = format!("GET /acs/authorize HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n{head}\r\n");
        let seen = status(&server, bytes);
        assert!((400..500).contains(&seen), "{seen}");
    }
    for length in [20_000, 60_000, 200_000] {
        let seen = status(&server, request("GET", &format!("/acs/authorize?x={}", "y".repeat(length)), HOST, &[], ""));
        assert!((400..500).contains(&seen), "{length}: {seen}");
    }
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"\r\n\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let stream = connect(server.address);
        let seen = {
            let mut stream = BufReader::new(stream);
            let _ = stream.get_mut().write_all(garbage);
            let _ = stream.get_mut().shutdown(std::net::Shutdown::Write);
            read(&mut stream).map_or(0, |answer| answer.status)
        };
        assert!(seen == 0 || (400..500).contains(&seen), "{garbage:?}: {seen}");
    }
    assert!(is_alive(&server));
    assert!(!server.log().contains("panic"), "{}", server.log());
}
