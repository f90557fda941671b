//! Where we connect to, what we follow, whose certificates we trust, how much we read.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use vestibule::base::{Clock, Span};
use vestibule::config::Outbound;
use vestibule::upstream::UpstreamFault;

use crate::bench::{Bench, Hands, check, door, loopback, member, settings};
use crate::evil_idp::{Answer, EvilIdp};

#[tokio::test]
async fn a192_loopback_is_refused_unless_it_is_allowed() {
    let bench = Bench::new();
    let strict = door(&Outbound::default(), &bench.hands);
    assert_eq!(check(strict.provider(&bench.idp).await), "outbound_guard");
    let other_network =
        Outbound { allow_private: vec!["10.0.0.0/8".parse().expect("a network")], ..Outbound::default() };
    assert_eq!(check(door(&other_network, &bench.hands).provider(&bench.idp).await), "outbound_guard");
    assert_eq!(bench.evil.seen().len(), 0, "nothing was sent");
}

#[tokio::test]
async fn a192_a193_a_document_that_names_a_private_place_is_not_followed_there() {
    for place in [
        "https://169.254.169.254/latest",
        "https://10.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://[64:ff9b::a00:1]/x",
        "https://[2002:a00:1::]/x",
        "https://100.64.0.1/x",
        "https://0.0.0.0/x",
        "https://3232235777/x",
        "https://0300.0250.1/x",
        "https://[fd00::1]/x",
        "https://[fe80::1]/x",
    ] {
        let bench = Bench::new();
        bench.evil.set(|script| script.metadata = member("jwks_uri", json!(place)));
        assert_eq!(check(bench.login().await), "outbound_guard", "{place}");
    }
}

#[tokio::test]
async fn a194_a_name_is_judged_by_the_addresses_that_it_resolves_to() {
    let bench = Bench::new();
    let port = bench.evil.issuer().rsplit_once(':').expect("a port").1.to_owned();
    let named = Arc::new(settings(&format!("http://localhost:{port}")));
    let strict = door(&Outbound::default(), &bench.hands);
    assert_eq!(check(strict.provider(&named).await), "outbound_guard");
    assert_eq!(bench.evil.seen().len(), 0, "nothing was sent");
    let allowing = door(&loopback(), &bench.hands);
    let failed = check(allowing.provider(&named).await);
    assert_eq!(failed, "discovery_issuer", "it was reached, under another name than its issuer");
}

#[tokio::test]
async fn a195_redirects_are_not_followed_and_credentials_stay() {
    let (bench, victim) = (Bench::new(), Bench::new());
    let places = [format!("{}/stolen", victim.evil.issuer()), "http://10.0.0.1/x".to_owned(), "//x.example".to_owned()];
    for place in places {
        assert_eq!(bench.check_failed(|script| script.token = Answer::Redirect(place.clone())).await, "redirect");
        bench.evil.reset();
        bench.evil.set(|script| script.userinfo = Answer::Redirect(place.clone()));
        assert_eq!(check(bench.login_wanting(&["email".to_owned()]).await), "redirect");
        let fresh = Bench::new();
        fresh.evil.set(|script| script.discovery = Answer::Redirect(place));
        assert_eq!(check(fresh.login().await), "redirect");
    }
    assert_eq!(victim.evil.seen().len(), 0);
}

#[tokio::test]
async fn a196_ports_of_other_services_are_refused() {
    for place in ["https://127.0.0.1:22/x", "https://127.0.0.1:6379/x", "https://id.example.com:25/x"] {
        let bench = Bench::new();
        bench.evil.set(|script| script.metadata = member("jwks_uri", json!(place)));
        assert_eq!(check(bench.login().await), "outbound_guard", "{place}");
    }
}

#[tokio::test]
async fn a197_endless_slow_compressed_and_deep_documents_are_refused_and_the_last_good_one_stays() {
    let bench = Bench::new();
    bench.login().await.expect("a sound login");
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (answer, failed) in [
        (Answer::Endless, Some("body_size")),
        (Answer::Compressed, Some("content_encoding")),
        (Answer::Fixed(200, "application/json", deep), Some("discovery")),
        (Answer::Trickle, None),
    ] {
        let fresh = Bench::new();
        fresh.evil.set(|script| script.discovery = answer.clone());
        let begun = Instant::now();
        let outcome = fresh.login().await;
        assert!(begun.elapsed() < Duration::from_secs(10));
        match failed {
            Some(failed) => assert_eq!(check(outcome), failed),
            None => assert!(matches!(outcome, Err(UpstreamFault::Unavailable { .. })), "{outcome:?}"),
        }
        bench.evil.set(|script| script.discovery = answer);
        bench.hands.pass(Span::hours(2));
        bench.login().await.expect("with the last good document");
    }
}

// Certificates: the provider speaks https on loopback.

struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    /// A server's TLS with a certificate of this authority.
    fn server(&self, name: &str, change: impl FnOnce(&mut rcgen::CertificateParams)) -> rustls::ServerConfig {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        tls(certificate.der().clone(), &key)
    }

    fn file(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), self.certificate.pem()).expect("written");
        file
    }
}

fn tls(certificate: rustls::pki_types::CertificateDer<'static>, key: &rcgen::KeyPair) -> rustls::ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("certificate and key fit")
}

/// The outcome of discovery at a provider with this TLS, trusting these CA files.
async fn discovered(tls: rustls::ServerConfig, ca_files: Vec<std::path::PathBuf>) -> Result<(), UpstreamFault> {
    let hands = Hands::new();
    let evil = EvilIdp::start_tls("localhost", tls, Arc::clone(&hands) as Arc<dyn Clock>);
    let mut idp = settings(&evil.issuer());
    idp.ca_files = ca_files;
    let outcome = door(&loopback(), &hands).provider(&Arc::new(idp)).await.map(drop);
    let expected = usize::from(outcome.is_ok());
    assert_eq!(evil.count("/.well-known/openid-configuration"), expected, "nothing is sent over bad TLS");
    outcome
}

#[tokio::test]
async fn a199_a_certificate_counts_if_its_authority_is_named_in_the_file() {
    let authority = Authority::new();
    let file = authority.file();
    discovered(authority.server("localhost", |_| {}), vec![file.path().to_owned()]).await.expect("trusted");
    assert_eq!(check(discovered(authority.server("localhost", |_| {}), Vec::new()).await), "tls_certificate");
    let hands = Hands::new();
    let tls = authority.server("localhost", |_| {});
    let evil = EvilIdp::start_tls("localhost", tls, Arc::clone(&hands) as Arc<dyn Clock>);
    let outbound = Outbound { ca_files: vec![file.path().to_owned()], ..loopback() };
    let idp = Arc::new(settings(&evil.issuer()));
    door(&outbound, &hands).provider(&idp).await.expect("trusted by [outbound] ca_files");
}

#[tokio::test]
async fn a199_self_signed_misnamed_and_expired_certificates_are_refused() {
    let authority = Authority::new();
    let file = authority.file();
    let trusted = || vec![file.path().to_owned()];
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let self_signed = tls(own.cert.der().clone(), &own.signing_key);
    let misnamed = authority.server("other.example", |_| {});
    let expired = authority.server("localhost", |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let early = authority.server("localhost", |params| params.not_before = rcgen::date_time_ymd(2090, 1, 1));
    for tls in [self_signed, misnamed, expired, early] {
        assert_eq!(check(discovered(tls, trusted()).await), "tls_certificate");
    }
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_read_is_a_misconfiguration() {
    let empty = tempfile::NamedTempFile::new().expect("a file");
    for file in [empty.path().to_owned(), "/nonexistent/ca.pem".into()] {
        let bench = Bench::with(|idp| idp.ca_files = vec![file.clone()]);
        let fault = bench.login().await.expect_err("no CA file");
        assert!(matches!(fault, UpstreamFault::Misconfigured { .. }), "{fault:?}");
        assert!(fault.detail().contains(&file.display().to_string()));
    }
}

/// A proxy that leads every CONNECT to one place: its address, and the targets that it was asked for.
async fn proxy(to: String) -> (url::Url, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut inward, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(inward.read_u8().await.expect("a whole head"));
            }
            let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
            heard.lock().expect("alone").push(line);
            inward.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("written");
            let mut outward = tokio::net::TcpStream::connect(&to).await.expect("the provider listens");
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut inward, &mut outward).await });
        }
    });
    (address.parse().expect("a URL"), asked)
}

#[tokio::test]
async fn a_configured_proxy_is_used_for_all_but_loopback_and_may_itself_be_private() {
    let authority = Authority::new();
    let file = authority.file();
    let hands = Hands::new();
    let tls = authority.server("idp.example", |_| {});
    let evil = EvilIdp::start_tls("idp.example", tls, Arc::clone(&hands) as Arc<dyn Clock>);
    let port = evil.issuer().rsplit_once(':').expect("a port").1.to_owned();
    let (address, asked) = proxy(format!("127.0.0.1:{port}")).await;
    let outbound = Outbound { ca_files: vec![file.path().to_owned()], proxy: Some(address), ..Outbound::default() };
    let upstream = door(&outbound, &hands);
    upstream.provider(&Arc::new(settings(&evil.issuer()))).await.expect("by the proxy, which resolves the name");
    assert_eq!(*asked.lock().expect("alone"), [format!("CONNECT idp.example:{port} HTTP/1.1")]);

    let bench = Bench::new();
    assert_eq!(check(upstream.provider(&bench.idp).await), "outbound_guard", "loopback is still not allowed");
    let private = Arc::new(settings("https://10.0.0.1"));
    assert_eq!(check(upstream.provider(&private).await), "outbound_guard");
    assert_eq!(asked.lock().expect("alone").len(), 1);
}
