//! What we send: the authorization request, the token request, our own keys.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256};
use aws_lc_rs::signature::{RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use vestibule::base::{Digest, Secret};
use vestibule::oidc::Idp;
use vestibule::oidc::idp::{AssertionAudience, ClientKey, ClientKeyAlgorithm, IdpCredential};
use vestibule::oidc::pkce::CodeChallenge;
use vestibule::upstream::{AuthorizationCall, UpstreamFault, authorization_url, public_jwks};

use crate::bench::{Bench, NONCE, REDIRECT_URI, VERIFIER, member};

fn asking() -> AuthorizationCall {
    AuthorizationCall {
        redirect_uri: REDIRECT_URI.to_owned(),
        state: "the-state".to_owned(),
        nonce: NONCE.to_owned(),
        code_challenge: CodeChallenge::of(VERIFIER),
        login_hint: None,
        domain_hint: None,
        prompt: None,
        max_age: None,
        acr_values: None,
        ui_locales: None,
        extra: Vec::new(),
    }
}

async fn url(bench: &Bench, call: &AuthorizationCall) -> url::Url {
    let facts = bench.upstream.provider(&bench.idp).await.expect("discovery");
    authorization_url(&facts, &bench.idp, call)
}

/// Decoded; a parameter that stands twice ends the test.
fn params(url: &url::Url) -> HashMap<String, String> {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let map: HashMap<String, String> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "{url}");
    map
}

#[tokio::test]
async fn a081_state_nonce_and_an_s256_challenge_are_always_sent() {
    let bench = Bench::new();
    let url = url(&bench, &asking()).await;
    assert!(url.as_str().starts_with(&format!("{}/authorize?", bench.evil.issuer())));
    let sent = params(&url);
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["client_id"], "vestibule at evil");
    assert_eq!(sent["redirect_uri"], REDIRECT_URI);
    assert_eq!(sent["scope"], "openid profile email");
    assert_eq!(sent["state"], "the-state");
    assert_eq!(sent["nonce"], NONCE);
    assert_eq!(sent["code_challenge"], "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent.len(), 8, "and nothing else: {url}");
}

#[tokio::test]
async fn a143_a_hint_arrives_byte_for_byte_as_one_parameter() {
    let bench = Bench::new();
    for hint in [
        "Alice+x@contoso.com",
        "a&prompt=none#x",
        "%26client_id=evil",
        "a;b",
        "jürgen@münchen.example",
        "alice_fabrikam.com#EXT#@contoso.onmicrosoft.com",
        "a b",
        "100%",
        "名前@例え.jp",
        "a=b&c",
        "\u{1f600}",
    ] {
        let url = url(&bench, &AuthorizationCall { login_hint: Some(hint.to_owned()), ..asking() }).await;
        let sent = params(&url);
        assert_eq!(sent["login_hint"], hint);
        assert_eq!(sent.len(), 9, "{url}");
        assert_eq!(url.fragment(), None);
    }
}

#[tokio::test]
async fn static_extras_never_override_what_a_login_sets() {
    let bench = Bench::with(|idp| {
        for (name, value) in [
            ("prompt", "login"),
            ("max_age", "1"),
            ("state", "evil"),
            ("nonce", "evil"),
            ("login_hint", "evil"),
            ("request_uri", "https://evil.example"),
            ("code_challenge_method", "plain"),
            ("resource", "x y"),
            ("acr_values", "from the file"),
        ] {
            idp.authorize_params.insert(name.to_owned(), value.to_owned());
        }
    });
    let call = AuthorizationCall {
        prompt: Some("select_account".to_owned()),
        max_age: Some(0),
        domain_hint: Some("contoso.com".to_owned()),
        ui_locales: Some("de en".to_owned()),
        extra: vec![("acr_values".to_owned(), "from the call".to_owned())],
        ..asking()
    };
    let sent = params(&url(&bench, &call).await);
    assert_eq!(sent["prompt"], "select_account");
    assert_eq!(sent["max_age"], "0");
    assert_eq!(sent["state"], "the-state");
    assert_eq!(sent["nonce"], NONCE);
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["resource"], "x y");
    assert_eq!(sent["acr_values"], "from the call");
    assert_eq!(sent["domain_hint"], "contoso.com");
    assert_eq!(sent["ui_locales"], "de en");
    assert!(!sent.contains_key("login_hint") && !sent.contains_key("request_uri"));
    assert_eq!(params(&url(&bench, &asking()).await)["prompt"], "login", "it counts where a login says nothing");
}

#[tokio::test]
async fn a_query_of_the_authorization_endpoint_is_kept() {
    let bench = Bench::new();
    let endpoint = format!("{}/authorize?p=B2C_1_signin&x=a%20b", bench.evil.issuer());
    bench.evil.set(|script| script.metadata = member("authorization_endpoint", json!(endpoint)));
    let url = url(&bench, &asking()).await;
    assert!(url.query().is_some_and(|query| query.starts_with("p=B2C_1_signin&x=a%20b&response_type=code&")));
    assert_eq!(params(&url).len(), 10);
}

#[tokio::test]
async fn c093_the_secret_is_posted_where_that_is_announced() {
    let bench = Bench::with(|idp| {
        for (name, value) in [("resource", "urn:x"), ("code_verifier", "evil"), ("client_id", "evil")] {
            idp.token_params.insert(name.to_owned(), value.to_owned());
        }
    });
    bench.login().await.expect("a sound login");
    let seen = bench.evil.last("/token").expect("a token request");
    assert!(!seen.headers.contains_key("authorization"));
    assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
    let sent = seen.params();
    assert_eq!(sent["grant_type"], "authorization_code");
    assert_eq!(sent["client_id"], "vestibule at evil");
    assert_eq!(sent["client_secret"], "s3cret &+/ä");
    assert_eq!(sent["code_verifier"], VERIFIER);
    assert_eq!(sent["redirect_uri"], REDIRECT_URI);
    assert_eq!(sent["resource"], "urn:x");
    assert!(sent["code"].starts_with("code-"));
    assert_eq!(sent.len(), 7);
}

#[tokio::test]
async fn c093_the_secret_goes_in_the_header_where_nothing_else_is_announced() {
    for methods in [Value::Null, json!(["client_secret_basic", "private_key_jwt"])] {
        let bench = Bench::new();
        bench.evil.set(|script| script.metadata = member("token_endpoint_auth_methods_supported", methods));
        bench.login().await.expect("a sound login");
        let seen = bench.evil.last("/token").expect("a token request");
        let basic = seen.headers["authorization"].strip_prefix("Basic ").expect("Basic").to_owned();
        let pair = String::from_utf8(STANDARD.decode(basic).expect("base64")).expect("UTF-8");
        assert_eq!(pair, "vestibule+at+evil:s3cret+%26%2B%2F%C3%A4", "form-encoded first, as RFC 6749 §2.3.1 says");
        assert!(!seen.params().contains_key("client_secret"));
    }
    let bench = Bench::new();
    bench
        .evil
        .set(|script| script.metadata = member("token_endpoint_auth_methods_supported", json!(["tls_client_auth"])));
    assert!(matches!(bench.login().await, Err(UpstreamFault::Misconfigured { .. })));
    assert_eq!(bench.evil.count("/token"), 0);
}

fn client_key(algorithm: ClientKeyAlgorithm, audience: AssertionAudience) -> ClientKey {
    let kind = match algorithm {
        ClientKeyAlgorithm::Es256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        _ => &rcgen::PKCS_RSA_SHA256,
    };
    let pem = rcgen::KeyPair::generate_for(kind).expect("a key").serialize_pem();
    ClientKey { pem: Secret::new(pem), kid: None, certificate: None, algorithm, audience }
}

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).expect("base64url")
}

/// Whether the signature of an assertion is by the key of our JWK set that its header names.
fn is_signed_by_our_key(assertion: &str, idp: &Idp) -> bool {
    let (message, signature) = assertion.rsplit_once('.').expect("three parts");
    let header: Value = serde_json::from_slice(&decoded(message.split_once('.').expect("parts").0)).expect("JSON");
    let set = public_jwks([idp]);
    let keys = set["keys"].as_array().expect("a list");
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("the key of this name");
    assert!(key.get("d").is_none() && key.get("p").is_none(), "no private half");
    assert_eq!((&key["use"], &key["alg"]), (&json!("sig"), &header["alg"]));
    let bytes = |name: &str| decoded(key[name].as_str().expect("text"));
    let (message, signature) = (message.as_bytes(), decoded(signature));
    if key["kty"] == "EC" {
        let point = [vec![4], bytes("x"), bytes("y")].concat();
        return UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &signature).is_ok();
    }
    let params = if header["alg"] == "PS256" { &RSA_PSS_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA256 };
    RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") }.verify(params, message, &signature).is_ok()
}

#[tokio::test]
async fn a_client_key_proves_itself_by_an_assertion_of_its_own_for_each_call() {
    for (algorithm, audience) in [
        (ClientKeyAlgorithm::Rs256, AssertionAudience::Issuer),
        (ClientKeyAlgorithm::Ps256, AssertionAudience::TokenEndpoint),
        (ClientKeyAlgorithm::Es256, AssertionAudience::Issuer),
    ] {
        let bench = Bench::with(|idp| idp.credential = IdpCredential::Key(client_key(algorithm, audience)));
        bench.login().await.expect("a sound login");
        bench.login().await.expect("a sound login");
        let sent: Vec<HashMap<String, String>> =
            bench.evil.seen().iter().filter(|seen| seen.path == "/token").map(|seen| seen.params()).collect();
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        assert!(sent.iter().all(|params| params["client_assertion_type"] == kind));
        assert!(sent.iter().all(|params| !params.contains_key("client_secret")));
        let claims = |n: usize| -> Value {
            let part = sent[n]["client_assertion"].split('.').nth(1).expect("claims").to_owned();
            serde_json::from_slice(&decoded(&part)).expect("JSON")
        };
        let aud = match audience {
            AssertionAudience::Issuer => bench.evil.issuer(),
            AssertionAudience::TokenEndpoint => format!("{}/token", bench.evil.issuer()),
        };
        assert_eq!(claims(0)["aud"], json!(aud));
        assert_eq!(claims(0)["iss"], json!("vestibule at evil"));
        assert_eq!(claims(0)["sub"], json!("vestibule at evil"));
        assert_eq!(claims(0)["exp"], json!(1_800_000_060));
        assert_ne!(claims(0)["jti"], claims(1)["jti"]);
        assert!(is_signed_by_our_key(&sent[0]["client_assertion"], &bench.idp));
    }
}

#[tokio::test]
async fn a_certificate_is_named_by_its_thumbprint_and_a_given_kid_is_used() {
    let made = rcgen::generate_simple_self_signed(vec!["vestibule".to_owned()]).expect("a certificate");
    let key = ClientKey {
        kid: Some("our-key".to_owned()),
        certificate: Some(made.cert.pem()),
        ..client_key(ClientKeyAlgorithm::Ps256, AssertionAudience::TokenEndpoint)
    };
    let bench = Bench::with(|idp| idp.credential = IdpCredential::Key(key));
    bench.login().await.expect("a sound login");
    let assertion = bench.evil.last("/token").expect("a request").params()["client_assertion"].clone();
    let header: Value = serde_json::from_slice(&decoded(assertion.split('.').next().expect("a part"))).expect("JSON");
    let thumbprint = Digest::of(made.cert.der()).base64url();
    assert_eq!(header, json!({"typ": "JWT", "alg": "PS256", "kid": "our-key", "x5t#S256": thumbprint}));
    assert_eq!(public_jwks([&*bench.idp])["keys"][0]["kid"], "our-key");
}

#[tokio::test]
async fn the_default_kid_is_the_rfc_7638_thumbprint() {
    let bench = Bench::with(|idp| {
        idp.credential = IdpCredential::Key(client_key(ClientKeyAlgorithm::Rs256, AssertionAudience::Issuer));
    });
    let key = public_jwks([&*bench.idp])["keys"][0].clone();
    let canonical = format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, key["e"], key["n"]);
    assert_eq!(key["kid"], json!(Digest::of(canonical).base64url()));
    assert_eq!(key["e"], "AQAB");
}

#[tokio::test]
async fn an_unusable_client_key_is_a_misconfiguration_and_its_code_stays_unspent() {
    let broken = ClientKey {
        pem: Secret::new("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
        ..client_key(ClientKeyAlgorithm::Rs256, AssertionAudience::Issuer)
    };
    let other_kind = ClientKey {
        algorithm: ClientKeyAlgorithm::Rs256,
        ..client_key(ClientKeyAlgorithm::Es256, AssertionAudience::Issuer)
    };
    for key in [broken, other_kind] {
        let bench = Bench::with(|idp| idp.credential = IdpCredential::Key(key));
        let fault = bench.login().await.expect_err("no key");
        assert!(matches!(fault, UpstreamFault::Misconfigured { .. }), "{fault:?}");
        assert_eq!(bench.evil.count("/token"), 0);
        assert_eq!(public_jwks([&*bench.idp]), json!({"keys": []}));
    }
}

#[tokio::test]
async fn a_probe_says_what_works_and_what_does_not() {
    let bench = Bench::new();
    let findings = bench.upstream.probe(&bench.idp).await;
    let bad: Vec<_> = findings.iter().filter(|finding| finding.outcome.is_err()).collect();
    assert!(bad.is_empty(), "{bad:?}");
    let said = |what: &str| {
        let finding = findings.iter().find(|finding| finding.what == what);
        finding.unwrap_or_else(|| panic!("nothing on {what}")).outcome.clone().expect("works")
    };
    assert_eq!(said("keys"), "3 usable");
    assert_eq!(said("id_token_algs"), "RS256, PS256, ES256, EdDSA");
    assert_eq!(said("client authentication"), "client_secret_post");
    let bench = Bench::with(|idp| {
        idp.credential = IdpCredential::Key(client_key(ClientKeyAlgorithm::Rs256, AssertionAudience::Issuer));
        idp.id_token_algs = vec!["RS512".to_owned()];
    });
    bench.evil.set(|script| {
        script.metadata = Some(Arc::new(|document| {
            document.remove("token_endpoint_auth_methods_supported");
            document.insert("code_challenge_methods_supported".to_owned(), json!(["plain"]));
        }));
    });
    let findings = bench.upstream.probe(&bench.idp).await;
    let bad: Vec<&str> =
        findings.iter().filter(|finding| finding.outcome.is_err()).map(|finding| finding.what).collect();
    assert_eq!(bad, ["id_token_algs", "PKCE", "client authentication"]);
    bench.evil.set(|script| script.metadata = member("issuer", json!("https://evil.example")));
    let findings = bench.upstream.probe(&bench.idp).await;
    assert_eq!(findings.len(), 1);
    assert!(findings[0].outcome.as_ref().is_err_and(|why| why.contains("https://evil.example")));
}
