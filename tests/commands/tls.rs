//! `[tls]`: https of our own, and certificates that are replaced while it runs.

use std::io::{BufReader, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::browser::Browser;
use crate::http::{self, Answer, connect, request};
use crate::provider;
use crate::stage::{Server, Stage, until};

const NAME: &str = "id.example.com";

struct Pair {
    cert: String,
    key: String,
}

fn pair() -> Pair {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
    Pair { cert: made.cert.pem(), key: made.signing_key.serialize_pem() }
}

fn stage(idp: &crate::evil_idp::EvilIdp, pair: &Pair) -> Stage {
    let stage = Stage::at(idp);
    stage.edit("vestibule.toml", "http://127.0.0.1:8080/acs", "https://id.example.com/acs");
    let text = std::fs::read_to_string(stage.config().join("vestibule.toml")).expect("a file");
    stage.write("vestibule.toml", &format!("{text}[tls]\ncert = \"../tls/cert.pem\"\nkey = \"../tls/key.pem\"\n"));
    std::fs::create_dir(stage.path("tls")).expect("a folder");
    put(&stage, "cert.pem", &pair.cert);
    put(&stage, "key.pem", &pair.key);
    stage
}

fn put(stage: &Stage, name: &str, text: &str) {
    std::fs::write(stage.path("new"), text).expect("written");
    std::fs::rename(stage.path("new"), stage.path("tls").join(name)).expect("renamed");
}

/// One request by somebody who trusts this certificate only; `None`: the handshake failed.
fn over_tls(address: SocketAddr, trusted: &Pair, bytes: &str) -> Option<Answer> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.cert.as_bytes()).expect("PEM")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(NAME).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let mut stream = StreamOwned::new(connection, connect(address));
    stream.write_all(bytes.as_bytes()).ok()?;
    http::read(&mut BufReader::new(stream))
}

fn shows(server: &Server, pair: &Pair) -> bool {
    let asked = request("GET", "/healthz", NAME, &[], "");
    over_tls(server.address, pair, &asked).is_some_and(|answer| answer.status == 200)
}

#[test]
fn https_works_and_its_cookies_are_secure_and_bound_to_the_host() {
    let (idp, pair) = (provider(), pair());
    let stage = stage(&idp, &pair);
    let server = stage.serve();
    let asked = request("GET", &Browser::authorize_target(&[]), NAME, &[], "");
    let answer = over_tls(server.address, &pair, &asked).expect("an answer");
    let cookie = answer.header("set-cookie").unwrap_or_else(|| panic!("{}", answer.everything()));
    assert!(cookie.starts_with("__Host-vestibule-login-"), "{cookie}");
    for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(attribute), "no {attribute} in {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let plain = http::raw(server.address, asked.as_bytes());
    assert!(plain.is_none_or(|answer| answer.status >= 400), "plain http is not answered");
    server.stop();
}

#[test]
fn f31_a_replaced_pair_is_taken_over_and_a_half_replaced_one_is_not() {
    let (idp, old, new) = (provider(), pair(), pair());
    let stage = stage(&idp, &old);
    let server = stage.serve();
    assert!(shows(&server, &old) && !shows(&server, &new));

    put(&stage, "cert.pem", &new.cert);
    server.logged("the changed TLS files can't be used yet");
    assert!(shows(&server, &old), "the old pair serves until both fit");
    put(&stage, "key.pem", &new.key);
    until("the new pair is taken over", || shows(&server, &new));
    assert!(!shows(&server, &old));
    server.logged("the TLS certificate was taken over");

    for broken in ["", "no PEM", &old.cert] {
        let noticed = || server.log().matches("can't be used yet").count();
        let before = noticed();
        put(&stage, "key.pem", broken);
        until("it is noticed", || noticed() > before);
        assert!(shows(&server, &new));
    }
    let secret = new.key.lines().nth(1).expect("a line of the key");
    assert!(!server.log().contains(secret), "{}", server.log());
}

#[test]
fn f31_the_end_of_a_certificate_is_told_thirty_days_ahead() {
    let (idp, long) = (provider(), pair());
    let stage = stage(&idp, &long);
    let server = stage.serve();
    let cares = || server.managed("/readyz").json()["cares"].to_string();
    // rcgen's certificates last until the year 4096.
    assert!(server.metrics().contains("\nvestibule_tls_certificate_expires_seconds{} 67"), "{}", server.metrics());
    assert_eq!(cares(), "[]");
    let mut wanted = rcgen::CertificateParams::new(vec![NAME.to_owned()]).expect("a name");
    wanted.not_before = rcgen::date_time_ymd(2020, 1, 1);
    wanted.not_after = rcgen::date_time_ymd(2020, 2, 1);
    let key = rcgen::KeyPair::generate().expect("a key");
    put(&stage, "cert.pem", &wanted.self_signed(&key).expect("a certificate").pem());
    put(&stage, "key.pem", &key.serialize_pem());
    until("its end is told", || cares().contains("the TLS certificate ends 2020-02-01T00:00:00"));
    assert!(
        server.metrics().contains("\nvestibule_tls_certificate_expires_seconds{} 1580515200\n"),
        "{}",
        server.metrics()
    );
    assert_eq!(server.managed("/readyz").status, 200, "it serves all the same");
}

#[test]
fn files_that_do_not_fit_keep_it_from_starting() {
    let (idp, one, other) = (provider(), pair(), pair());
    let stage = stage(&idp, &one);
    for (name, text) in [("key.pem", other.key.as_str()), ("key.pem", "nonsense"), ("cert.pem", "")] {
        put(&stage, "cert.pem", &one.cert);
        put(&stage, "key.pem", &one.key);
        put(&stage, name, text);
        let done = stage.run(&["serve"]);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.err.contains("tls/"), "{}", done.err);
    }
}
