//! What the Redis store promises besides the contract: lifetimes, round trips, what stands in the server.

use std::fs;
use std::path::Path;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use vestibule::base::{Secret, Span};
use vestibule::state::{self, Kind, Record, Taken};

use crate::fixture::{MINUTE, ManualClock, SEAL, in_time, name, options, peek, put, record, redis_at, take, until};
use crate::redis_server::RedisServer;

fn keys(server: &RedisServer) -> Vec<String> {
    redis::from_redis_value(server.ask(&["KEYS", "*"])).unwrap()
}

fn lifetime_ms(server: &RedisServer) -> i64 {
    redis::from_redis_value(server.ask(&["PTTL", &keys(server)[0]])).unwrap()
}

#[tokio::test]
async fn the_server_forgets_records_and_residues_after_their_lifetime() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    let near = |expected: Span| {
        let found = lifetime_ms(&server);
        assert!(found <= expected.ms() && found > expected.ms() - 10_000, "{found} ms for {} ms", expected.ms());
    };
    put(&*store, Kind::Code, "a", "one").await;
    near(MINUTE);
    store.swap(b"one".to_vec(), Record { lifetime: Span::hours(2), ..record(Kind::Code, "a", "two") }).await.unwrap();
    near(Span::hours(2));
    store.take(name(Kind::Code, "a"), b"residue".to_vec(), Span::hours(24)).await.unwrap();
    near(Span::hours(24));
    store.forget(name(Kind::Code, "a")).await.unwrap();
    assert!(keys(&server).is_empty());
    store.put_new(Record { lifetime: Span::minutes(5), ..record(Kind::Assertion, "a", "") }).await.unwrap();
    near(Span::minutes(5));
    store.forget(name(Kind::Assertion, "a")).await.unwrap();
    store.put(vec![Record { lifetime: Span::ZERO, ..record(Kind::Code, "b", "gone") }]).await.unwrap();
    until("the record is forgotten", || async { peek(&*store, Kind::Code, "b").await.unwrap().is_none() }).await;
    assert_eq!(take(&*store, Kind::Code, "b", "r").await.unwrap(), Taken::Never);
}

#[tokio::test]
async fn each_method_is_one_round_trip() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    let records = (0..5).map(|n| record(Kind::Code, &format!("{n}"), "bytes")).collect();
    store.put(records).await.unwrap();
    assert_eq!(store.round_trips(), 1);
    take(&*store, Kind::Code, "0", "r").await.unwrap();
    peek(&*store, Kind::Code, "1").await.unwrap();
    store.swap(b"bytes".to_vec(), record(Kind::Code, "1", "new")).await.unwrap();
    store.put_new(record(Kind::Assertion, "a", "")).await.unwrap();
    store.forget(name(Kind::Code, "1")).await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.round_trips(), 7);
}

#[tokio::test]
async fn a256_a_dump_holds_no_token_and_no_plain_bytes() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    let (token, bytes, residue) =
        ("a-token-that-nobody-may-see", "bytes-that-nobody-may-see", "residue-that-nobody-may-see");
    for kind in Kind::ALL {
        put(&*store, kind, token, bytes).await;
    }
    take(&*store, Kind::Code, token, residue).await.unwrap();
    assert!(store.swap(bytes.into(), record(Kind::Session, token, bytes)).await.unwrap());
    let digest = name(Kind::Code, token).digest;
    let mut expected: Vec<_> =
        Kind::ALL.iter().map(|kind| format!("vestibule:{{{}:{}}}", kind.as_str(), digest.base64url())).collect();
    let mut found = keys(&server);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    server.ask(&["SAVE"]);
    let dump = fs::read(server.dump()).unwrap();
    assert!(dump.windows(10).any(|window| window == b"vestibule:"), "the dump can be searched");
    for secret in [token, bytes, residue] {
        assert!(!dump.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

#[tokio::test]
async fn a261_a_record_sealed_under_another_secret_or_moved_to_another_name_is_none() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    let foreign = options(ManualClock::new(), "another seal secret, which is long enough too", None);
    let foreign = state::redis(&Secret::new(server.url()), foreign).unwrap();
    put(&*store, Kind::Session, "a", "bytes").await;
    assert_eq!(peek(&*foreign, Kind::Session, "a").await.unwrap(), None);
    assert!(!foreign.swap(b"bytes".to_vec(), record(Kind::Session, "a", "x")).await.unwrap());

    let key = |kind, token| format!("vestibule:{{{}:{}}}", Kind::as_str(kind), name(kind, token).digest.base64url());
    server.ask(&["COPY", &key(Kind::Session, "a"), &key(Kind::Session, "b")]);
    server.ask(&["COPY", &key(Kind::Session, "a"), &key(Kind::AccessToken, "a")]);
    assert_eq!(peek(&*store, Kind::Session, "b").await.unwrap(), None);
    assert_eq!(take(&*store, Kind::AccessToken, "a", "r").await.unwrap(), Taken::Never);
    assert!(peek(&*store, Kind::Session, "a").await.unwrap().is_some());
}

#[tokio::test]
async fn a_store_is_made_while_the_server_is_down_and_works_once_it_is_up() {
    let mut server = RedisServer::start();
    server.kill();
    let store = redis_at(&server.url());
    assert!(in_time(store.ping()).await.is_err());
    server.restart();
    in_time(store.ping()).await.unwrap();
}

#[tokio::test]
async fn password_and_database_number_come_from_the_address_and_are_never_told() {
    let server = RedisServer::start_with(&["--requirepass", "open-sesame"]);
    let at = |password: &str| format!("redis://:{password}@{}/3", server.address());
    let store = redis_at(&at("open-sesame"));
    put(&*store, Kind::Session, "a", "bytes").await;
    let client = redis::Client::open(at("open-sesame")).unwrap();
    let size: i64 = redis::cmd("DBSIZE").query(&mut client.get_connection().unwrap()).unwrap();
    assert_eq!(size, 1);
    for wrong in [at("wrong-password"), server.url()] {
        let fault = redis_at(&wrong).ping().await.unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains("wrong-password"), "{fault}");
    }
}

#[test]
fn an_address_that_is_none_is_refused_without_being_told() {
    for wrong in [
        "",
        "http://secret",
        "redis://",
        "redis-sentinel://secret:1",
        "redis://secret:99999",
        "rediss://secret#insecure",
    ] {
        let fault = state::redis(&Secret::new(wrong), options(ManualClock::new(), SEAL, None)).err().expect(wrong);
        assert!(!format!("{fault} {fault:?}").contains("secret"), "{fault}");
    }
}

#[tokio::test]
async fn flushed_scripts_are_told_again() {
    let server = RedisServer::start();
    let store = redis_at(&server.url());
    put(&*store, Kind::Code, "a", "bytes").await;
    server.ask(&["SCRIPT", "FLUSH"]);
    assert_eq!(take(&*store, Kind::Code, "a", "r").await.unwrap(), Taken::Once(b"bytes".to_vec()));
    server.ask(&["SCRIPT", "FLUSH"]);
    put(&*store, Kind::Session, "a", "bytes").await;
    assert!(store.swap(b"bytes".to_vec(), record(Kind::Session, "a", "new")).await.unwrap());
}

#[tokio::test]
async fn the_commands_that_are_asked_for_are_enough_and_a_missing_right_is_a_fault_that_tells_no_key() {
    let server = RedisServer::start();
    let rights = ["+hello", "+client", "+select", "+info", "+script", "+evalsha", "+get", "+del"];
    server.ask(&[&["ACL", "SETUSER", "vestibule", "on", ">pass", "~vestibule:*"], &rights[..]].concat());
    let store = redis_at(&format!("redis://vestibule:pass@{}", server.address()));
    store.ping().await.unwrap();
    let fault = store.put(vec![record(Kind::Session, "a", "bytes")]).await.unwrap_err();
    assert!(fault.0.contains("NOPERM"), "{fault}");
    assert!(!fault.0.contains("vestibule:"), "{fault}");

    server.ask(&["ACL", "SETUSER", "vestibule", "+set"]);
    put(&*store, Kind::Code, "a", "bytes").await;
    assert!(store.swap(b"bytes".to_vec(), record(Kind::Code, "a", "new")).await.unwrap());
    assert_eq!(take(&*store, Kind::Code, "a", "r").await.unwrap(), Taken::Once(b"new".to_vec()));
    store.forget(name(Kind::Code, "a")).await.unwrap();
    assert!(store.put_new(record(Kind::Assertion, "a", "")).await.unwrap());
}

/// A certificate authority and a server certificate for `localhost`: `ca.pem`, `cert.pem`, `key.pem`.
fn certificates(folder: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&authority_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let cert = server.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    for (file, pem) in [("ca.pem", ca.pem()), ("cert.pem", cert.pem()), ("key.pem", key.serialize_pem())] {
        fs::write(folder.join(file), pem).unwrap();
    }
}

/// Roots come from the system; a process of its own is given other ones. That process runs this test
/// again, and finds the address to try in its environment.
#[tokio::test]
async fn rediss_is_spoken_with_a_trusted_server_only() {
    const ADDRESS: &str = "TEST_REDISS_ADDRESS";
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    if let Some(address) = std::env::var_os(ADDRESS) {
        let store = redis_at(address.to_str().unwrap());
        put(&*store, Kind::Code, "a", "bytes").await;
        assert_eq!(take(&*store, Kind::Code, "a", "r").await.unwrap(), Taken::Once(b"bytes".to_vec()));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let server = RedisServer::start_tls(&folder.path().join("cert.pem"), &folder.path().join("key.pem"));
    assert!(in_time(redis_at(&server.tls_url()).ping()).await.is_err(), "its authority isn't trusted");

    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "redis::rediss_is_spoken_with_a_trusted_server_only"])
        .env(ADDRESS, server.tls_url())
        .env("SSL_CERT_FILE", folder.path().join("ca.pem"))
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && report.contains("1 passed"), "{report}");
    assert_eq!(server.ask(&["DBSIZE"]), redis::Value::Int(1), "it was this server");
}
