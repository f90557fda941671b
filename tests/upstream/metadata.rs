//! Discovery documents.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use vestibule::base::{Secret, Span};
use vestibule::upstream::{EndSession, UpstreamFault, authorization_url};

use crate::bench::{Bench, NONCE, VERIFIER, call, check, member, until};
use crate::evil_idp::Answer;

#[tokio::test]
async fn c094_discovery_and_keys_are_fetched_and_then_remembered() {
    let bench = Bench::new();
    for _ in 0..3 {
        bench.login().await.expect("a sound login");
    }
    assert_eq!(bench.evil.count("/.well-known/openid-configuration"), 1);
    assert_eq!(bench.evil.count("/jwks"), 1);
    let facts = bench.upstream.provider(&bench.idp).await.expect("discovery");
    assert!(facts.announces_iss);
    assert_eq!(facts.end_session.url().map(url::Url::path), Some("/logout"));
    bench.hands.pass(Span::hours(2));
    bench.evil.set(|script| {
        script.metadata = member("authorization_response_iss_parameter_supported", Value::Null);
    });
    assert!(bench.upstream.provider(&bench.idp).await.expect("the old copy, at once").announces_iss);
    until(async || !bench.upstream.provider(&bench.idp).await.expect("discovery").announces_iss).await;
    assert_eq!(bench.evil.count("/.well-known/openid-configuration"), 2);
}

#[tokio::test]
async fn a058_c095_a_document_of_another_issuer_is_refused_before_any_redirect() {
    let issuer = Bench::new().evil.issuer();
    for other in [json!("https://honest.example"), json!(format!("{issuer}/")), json!(7), Value::Null] {
        let bench = Bench::new();
        bench.evil.set(|script| script.metadata = member("issuer", other.clone()));
        assert_eq!(check(bench.upstream.provider(&bench.idp).await), "discovery_issuer", "{other}");
    }
}

#[tokio::test]
async fn a058_codes_and_secrets_go_to_the_issuers_origin_only() {
    for name in ["token_endpoint", "authorization_endpoint"] {
        for place in ["https://honest.example/token", "http://127.0.0.1:1/token", "https://127.0.0.1/token"] {
            let bench = Bench::new();
            bench.evil.set(|script| script.metadata = member(name, json!(place)));
            assert_eq!(check(bench.login().await), "discovery_endpoint", "{name} {place}");
            assert_eq!(bench.evil.count("/token"), 0);
        }
    }
    for name in ["userinfo_endpoint", "end_session_endpoint"] {
        let bench = Bench::new();
        bench.evil.set(|script| script.metadata = member(name, json!("https://graph.example.com/x")));
        bench.upstream.provider(&bench.idp).await.expect("these may be elsewhere");
    }
}

/// Addresses that no endpoint may have.
const WRONG_PLACES: [&str; 7] = [
    "http://id.example.com/x",
    "file:///etc/passwd",
    "gopher://id.example.com/",
    "javascript:alert(1)",
    "https://user:pw@id.example.com/x",
    "/relative",
    "https://id.example.com/x#y",
];

#[tokio::test]
async fn a135_an_end_session_endpoint_that_nobody_may_be_sent_to_counts_as_none() {
    for place in WRONG_PLACES {
        let bench = Bench::new();
        bench.evil.set(|script| script.metadata = member("end_session_endpoint", json!(place)));
        let facts = bench.upstream.provider(&bench.idp).await.expect("people can sign in all the same");
        assert_eq!(facts.end_session, EndSession::Unusable, "{place}");
    }
}

#[tokio::test]
async fn a196_endpoints_that_are_not_https_are_refused() {
    for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        for place in WRONG_PLACES {
            let bench = Bench::new();
            bench.evil.set(|script| script.metadata = member(name, json!(place)));
            let failed = check(bench.upstream.provider(&bench.idp).await);
            assert!(["discovery_endpoint", "discovery"].contains(&failed), "{name} {place}: {failed}");
        }
    }
}

#[tokio::test]
async fn a_document_that_sets_our_parameters_or_lacks_its_own_is_refused() {
    let bench = Bench::new();
    let endpoint = format!("{}/authorize?client_id=other", bench.evil.issuer());
    bench.evil.set(|script| script.metadata = member("authorization_endpoint", json!(endpoint)));
    assert_eq!(check(bench.login().await), "discovery_endpoint");
    for name in ["token_endpoint", "jwks_uri", "authorization_endpoint", "response_types_supported"] {
        let bench = Bench::new();
        bench.evil.set(|script| script.metadata = member(name, Value::Null));
        assert_eq!(check(bench.login().await), "discovery", "{name}");
    }
}

#[tokio::test]
async fn f26_a_changed_issuer_is_refused_and_the_last_good_document_stays() {
    let bench = Bench::new();
    bench.login().await.expect("a sound login");
    bench.evil.set(|script| script.metadata = member("issuer", json!("https://honest.example")));
    bench.hands.pass(Span::hours(2));
    bench.login().await.expect("with the last good document");
    until(async || !bench.upstream.faults().is_empty()).await;
    let faults = bench.upstream.faults();
    assert_eq!(faults[0].0, bench.idp.id);
    assert_eq!(check::<()>(Err(faults[0].1.clone())), "discovery_issuer");
    bench.login().await.expect("with the last good document");
    bench.hands.pass(Span::hours(23));
    assert_eq!(check(bench.login().await), "discovery_issuer", "a day is over");
}

#[tokio::test]
async fn f26_a_running_login_keeps_the_endpoints_that_it_began_with() {
    let bench = Bench::new();
    let begun_with = bench.upstream.provider(&bench.idp).await.expect("discovery");
    let elsewhere = format!("{}/elsewhere", bench.evil.issuer());
    bench.evil.set(|script| script.metadata = member("token_endpoint", json!(elsewhere)));
    bench.hands.pass(Span::hours(2));
    until(async || bench.upstream.provider(&bench.idp).await.expect("discovery").token_endpoint.path() == "/elsewhere")
        .await;
    let code = bench.evil.issue_code(&bench.idp.client_id, NONCE);
    let verifier = Secret::new(VERIFIER);
    bench.upstream.exchange(&bench.idp, &begun_with, &call(&code, &verifier, &[])).await.expect("as it began");
    assert_eq!(bench.evil.count("/elsewhere"), 0);
}

#[tokio::test]
async fn many_who_wait_for_discovery_share_one_fetch() {
    let bench = Bench::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    bench.evil.set(|script| script.discovery = Answer::Held(Arc::clone(&gate)));
    let waiting = join_all((0..100).map(|_| bench.upstream.provider(&bench.idp)));
    let opener = async {
        until(async || bench.evil.count("/.well-known/openid-configuration") > 0).await;
        gate.add_permits(1);
    };
    let (outcomes, ()) = tokio::join!(waiting, opener);
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(bench.evil.count("/.well-known/openid-configuration"), 1);
}

#[tokio::test]
async fn a_dead_provider_is_asked_again_after_a_few_seconds_and_not_before() {
    let bench = Bench::new();
    bench.evil.set(|script| script.discovery = Answer::Fixed(503, "text/plain", String::new()));
    for _ in 0..20 {
        assert!(matches!(bench.login().await, Err(UpstreamFault::Unavailable { .. })));
    }
    assert_eq!(bench.evil.count("/.well-known/openid-configuration"), 1);
    bench.evil.reset();
    bench.hands.pass(Span::secs(5));
    bench.login().await.expect("it is back");
}

#[tokio::test]
async fn unknown_members_and_algorithms_of_a_document_do_not_matter() {
    let bench = Bench::new();
    bench.evil.set(|script| {
        script.metadata = Some(Arc::new(|document| {
            document.insert("x_vendor".to_owned(), json!({"a": [1, 2]}));
            document
                .insert("id_token_signing_alg_values_supported".to_owned(), json!(["RS256", "ML-DSA-65", "ES256K"]));
            document.insert("grant_types_supported".to_owned(), json!(["authorization_code", "urn:x:y"]));
        }));
    });
    let facts = bench.upstream.provider(&bench.idp).await.expect("discovery");
    let call = vestibule::upstream::AuthorizationCall {
        redirect_uri: "https://id.example.com/cb".to_owned(),
        state: "s".to_owned(),
        nonce: "n".to_owned(),
        code_challenge: vestibule::oidc::pkce::CodeChallenge::of(VERIFIER),
        login_hint: None,
        domain_hint: None,
        prompt: None,
        max_age: None,
        acr_values: None,
        ui_locales: None,
        extra: Vec::new(),
    };
    assert_eq!(authorization_url(&facts, &bench.idp, &call).path(), "/authorize");
    bench.login().await.expect("a sound login");
}
