//! Providers that are down, slow, broken or lying at their token endpoint.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use vestibule::upstream::UpstreamFault;

use crate::bench::{Bench, check, member, until};
use crate::evil_idp::Answer;

fn fixed(status: u16, content_type: &'static str, body: &str) -> Answer {
    Answer::Fixed(status, content_type, body.to_owned())
}

#[tokio::test]
async fn a077_token_answers_that_are_none_are_refused_and_not_quoted() {
    let bench = Bench::new();
    let html = "<html><title>Sign in</title>secret-of-the-page</html>";
    let sound = r#"{"access_token":"a","token_type":"Bearer"}"#;
    for (answer, failed) in [
        (fixed(200, "text/html", html), "token_response"),
        (fixed(200, "application/json", html), "token_response"),
        (fixed(200, "application/json", r#"{"error":"invalid_grant"}"#), "token_response"),
        (fixed(200, "application/json", sound), "token_response"),
        (fixed(200, "text/plain", sound), "token_response"),
        (fixed(200, "application/json", r#"{"access_token":"a","access_token":"b"}"#), "token_response"),
        (fixed(200, "application/json", r#"{"access_token":"a","token_type"#), "token_response"),
        (fixed(200, "application/json", "[]"), "token_response"),
        (fixed(204, "application/json", ""), "token_response"),
        (fixed(400, "text/html", html), "token_response"),
        (fixed(404, "application/json", "{}"), "token_response"),
    ] {
        bench.evil.set(|script| script.token = answer);
        let fault = bench.login().await.expect_err("no token response");
        assert!(!format!("{fault:?}").contains("secret-of-the-page"));
        assert_eq!(check::<()>(Err(fault)), failed);
    }
    let mac = bench.check_failed(|script| script.token_body = member("token_type", json!("mac"))).await;
    assert_eq!(mac, "token_type");
    for (name, value) in [("id_token", Value::Null), ("id_token", json!(7)), ("access_token", Value::Null)] {
        let failed = bench.check_failed(|script| script.token_body = member(name, value)).await;
        assert_eq!(failed, "token_response", "{name}");
    }
}

#[tokio::test]
async fn c108_token_type_has_no_case_and_expires_in_may_be_missing() {
    let bench = Bench::new();
    for (name, value) in [
        ("token_type", json!("bEARER")),
        ("token_type", json!("BEARER")),
        ("expires_in", Value::Null),
        ("expires_in", json!("3600")),
        ("scope", json!(["openid"])),
        ("refresh_token", json!(null)),
    ] {
        bench.evil.set(|script| script.token_body = member(name, value.clone()));
        bench.login().await.unwrap_or_else(|fault| panic!("{name} = {value}: {fault:?}"));
    }
}

#[tokio::test]
async fn a_refusal_keeps_the_providers_words_for_the_trace_only_and_cut() {
    let bench = Bench::new();
    let words = format!("AADSTS54005: the code was used\r\n{}", "x".repeat(1000));
    let body = json!({"error": "invalid_grant", "error_description": words}).to_string();
    bench.evil.set(|script| script.token = Answer::Fixed(400, "application/json", body));
    match bench.login().await {
        Err(fault @ UpstreamFault::Refused { .. }) => {
            assert_eq!(fault.to_string(), "the identity provider refused the code, or our client authentication");
            assert_eq!(fault.detail().chars().count(), 400);
            assert!(fault.detail().starts_with("AADSTS54005"));
            assert!(!fault.detail().contains(['\r', '\n']));
            let UpstreamFault::Refused { error, .. } = fault else { unreachable!("matched above") };
            assert_eq!(error, "invalid_grant");
        }
        other => panic!("{other:?}"),
    }
    bench.evil.set(|script| script.token = fixed(401, "application/json", r#"{"error":"invalid_client"}"#));
    assert!(matches!(bench.login().await, Err(UpstreamFault::Refused { error, .. }) if error == "invalid_client"));
}

#[tokio::test]
async fn f24_429_and_5xx_are_unavailable_with_html_or_json() {
    let bench = Bench::new();
    for status in [408, 429, 500, 502, 503, 504] {
        for answer in [fixed(status, "text/html", "<h1>x</h1>"), fixed(status, "application/json", r#"{"error":"x"}"#)]
        {
            bench.evil.set(|script| script.token = answer);
            assert!(matches!(bench.login().await, Err(UpstreamFault::Unavailable { .. })), "{status}");
        }
    }
    bench.evil.set(|script| script.token = fixed(400, "application/json", r#"{"error":"temporarily_unavailable"}"#));
    assert!(matches!(bench.login().await, Err(UpstreamFault::Unavailable { .. })));
    bench.evil.reset();
    bench.login().await.expect("a login can be begun again at once");
}

#[tokio::test]
async fn f23_a_code_is_never_sent_twice() {
    let bench = Bench::new();
    bench.login().await.expect("a connection is open now");
    let before = bench.evil.count("/token");
    bench.evil.set(|script| script.token = Answer::CutOff);
    assert!(matches!(bench.login().await, Err(UpstreamFault::Unavailable { .. })));
    assert_eq!(bench.evil.count("/token"), before + 1);
}

#[tokio::test]
async fn f23_metadata_is_asked_for_once_more() {
    let bench = Bench::new();
    bench.evil.set(|script| script.discovery = Answer::CutOff);
    assert!(matches!(bench.login().await, Err(UpstreamFault::Unavailable { .. })));
    assert_eq!(bench.evil.count("/.well-known/openid-configuration"), 2);
}

#[tokio::test]
async fn f22_a_token_endpoint_that_hangs_ends_within_ten_seconds_and_leaves_others_alone() {
    let (hanging, sound) = (Bench::new(), Bench::new());
    hanging.upstream.provider(&hanging.idp).await.expect("discovery");
    hanging.evil.set(|script| script.token = Answer::Hang);
    let sound_idp =
        Arc::new(vestibule::oidc::Idp { id: vestibule::oidc::IdpId("sound".to_owned()), ..(*sound.idp).clone() });
    let begun = Instant::now();
    let stuck = hanging.login();
    let others = async {
        let facts = hanging.upstream.provider(&sound_idp).await.expect("discovery");
        for _ in 0..20 {
            let code = sound.evil.issue_code(&sound_idp.client_id, crate::bench::NONCE);
            let verifier = vestibule::base::Secret::new(crate::bench::VERIFIER);
            let call = crate::bench::call(&code, &verifier, &[]);
            hanging.upstream.exchange(&sound_idp, &facts, &call).await.expect("the other provider answers");
        }
        begun.elapsed()
    };
    let (outcome, others_took) = tokio::join!(stuck, others);
    assert!(matches!(outcome, Err(UpstreamFault::Unavailable { .. })), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(others_took < Duration::from_secs(4), "{others_took:?}");
}

#[tokio::test]
async fn g15_exchanges_at_a_slow_provider_are_limited_in_number() {
    let bench = Bench::new();
    bench.login().await.expect("a sound login");
    let gate = Arc::new(Semaphore::new(0));
    bench.evil.set(|script| script.token = Answer::Held(Arc::clone(&gate)));
    let logins = join_all((0..300).map(|_| bench.login()));
    let opener = async {
        until(async || bench.evil.count("/token") >= 257).await;
        gate.add_permits(256);
    };
    let (outcomes, ()) = tokio::join!(logins, opener);
    let unavailable = |outcome: &&Result<_, UpstreamFault>| matches!(outcome, Err(UpstreamFault::Unavailable { .. }));
    assert_eq!(outcomes.iter().filter(unavailable).count(), 300 - 256);
    bench.evil.reset();
    bench.login().await.expect("the places are free again");
}

#[tokio::test]
async fn f23_a_provider_that_hangs_up_or_is_not_there_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let issuer = format!("http://{}", listener.local_addr().expect("bound"));
    let hands = crate::bench::Hands::new();
    let upstream = crate::bench::door(&crate::bench::loopback(), &hands);
    let idp = Arc::new(crate::bench::settings(&issuer));
    let hanging_up = std::thread::spawn(move || {
        for _ in 0..2 {
            drop(listener.accept().expect("a connection").0);
        }
    });
    assert!(matches!(upstream.provider(&idp).await, Err(UpstreamFault::Unavailable { .. })));
    hanging_up.join().expect("two connections came");
    hands.pass(vestibule::base::Span::secs(5));
    assert!(matches!(upstream.provider(&idp).await, Err(UpstreamFault::Unavailable { .. })), "nobody listens now");
}
