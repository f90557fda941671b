//! The userinfo endpoint.

use serde_json::json;
use vestibule::oidc::idp::UserinfoPolicy;
use vestibule::upstream::{UpstreamFault, wanted_claims};

use crate::bench::{Bench, check, member};
use crate::evil_idp::Answer;

fn email() -> Vec<String> {
    vec!["sub".to_owned(), "email".to_owned()]
}

#[tokio::test]
async fn c093_userinfo_is_asked_by_header_for_a_missing_claim_only() {
    let bench = Bench::new();
    let claims = json!({"email": "alice@contoso.com", "name": "Alice", "sub": "alice-at-idp"});
    bench.evil.set(|script| script.userinfo_claims = claims.as_object().cloned());
    let identity = bench.login_wanting(&email()).await.expect("a sound login");
    assert_eq!(identity.claims["email"], "alice@contoso.com");
    assert_eq!(identity.claims["name"], "Alice");
    assert!(identity.timings.userinfo.is_some());
    let seen = bench.evil.last("/userinfo").expect("asked");
    assert_eq!((seen.method.as_str(), seen.query.as_str()), ("GET", ""));
    assert_eq!(seen.headers["authorization"], "Bearer at-alice-at-idp");
    bench.evil.set(|script| script.claims = member("email", json!("alice@id-token.example")));
    let identity = bench.login_wanting(&email()).await.expect("a sound login");
    assert_eq!(identity.claims["email"], "alice@id-token.example");
    assert_eq!(bench.evil.count("/userinfo"), 1, "nothing was missing");
}

#[tokio::test]
async fn userinfo_is_asked_always_or_never_where_the_file_says_so() {
    let always = Bench::with(|idp| idp.userinfo = UserinfoPolicy::Always);
    let claims = json!({"email": "other@evil.example", "tid": "x", "acr": "high", "auth_time": 1, "nick": "al"});
    always.evil.set(|script| {
        script.userinfo_claims = claims.as_object().cloned();
        script.claims = member("email", json!("alice@contoso.com"));
    });
    let identity = always.login_wanting(&email()).await.expect("a sound login");
    assert_eq!(always.evil.count("/userinfo"), 1);
    assert_eq!(identity.claims["email"], "alice@contoso.com", "the ID token wins");
    assert_eq!(identity.claims["nick"], "al");
    assert_eq!(identity.acr, None, "userinfo says nothing about the sign-in");
    assert!(!identity.claims.contains_key("tid"));
    let never = Bench::with(|idp| idp.userinfo = UserinfoPolicy::Never);
    never.login_wanting(&email()).await.expect("a sound login");
    assert_eq!(never.evil.count("/userinfo"), 0);
}

#[tokio::test]
async fn a078_c092_userinfo_of_another_subject_is_refused() {
    for sub in [json!("mallory"), json!(""), json!(7), json!(null), json!("ALICE-AT-IDP")] {
        let bench = Bench::new();
        let claims = json!({"sub": sub, "email": "victim@contoso.com"});
        bench.evil.set(|script| script.userinfo_claims = claims.as_object().cloned());
        assert_eq!(check(bench.login_wanting(&email()).await), "userinfo_sub", "{sub}");
    }
}

#[tokio::test]
async fn a078_userinfo_that_is_no_plain_json_is_refused() {
    let bench = Bench::new();
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZS1hdC1pZHAifQ.".to_owned();
    let twice = r#"{"sub":"mallory","sub":"alice-at-idp"}"#.to_owned();
    for (content_type, body) in [
        ("application/jwt", jwt.clone()),
        ("application/json", jwt),
        ("text/html", r#"{"sub":"alice-at-idp"}"#.to_owned()),
        ("application/json", twice),
        ("application/json", "[]".to_owned()),
    ] {
        bench.evil.set(|script| script.userinfo = Answer::Fixed(200, content_type, body));
        assert_eq!(check(bench.login_wanting(&email()).await), "userinfo");
    }
    bench.evil.set(|script| script.userinfo = Answer::Fixed(401, "text/plain", String::new()));
    assert_eq!(check(bench.login_wanting(&email()).await), "userinfo");
}

#[tokio::test]
async fn f24_userinfo_that_is_down_makes_the_provider_unavailable() {
    for status in [429, 500, 503] {
        let bench = Bench::new();
        bench.evil.set(|script| script.userinfo = Answer::Fixed(status, "text/html", "<h1>oops</h1>".to_owned()));
        assert!(matches!(bench.login_wanting(&email()).await, Err(UpstreamFault::Unavailable { .. })), "{status}");
    }
}

#[tokio::test]
async fn the_wanted_claims_follow_from_the_settings() {
    let bench = Bench::with(|idp| {
        idp.matching.claim = "employee".to_owned();
        idp.user_attributes.insert("emails".to_owned(), "email".to_owned());
        idp.user_attributes.insert("userName".to_owned(), "email".to_owned());
    });
    assert_eq!(wanted_claims(&bench.idp), ["email", "employee"]);
    let claims = json!({"employee": "4711"});
    bench.evil.set(|script| script.userinfo_claims = claims.as_object().cloned());
    let identity = bench.login_wanting(&wanted_claims(&bench.idp)).await.expect("a sound login");
    assert_eq!(identity.claims["employee"], "4711");
}

#[tokio::test]
async fn a164_a_proof_of_another_email_is_not_taken_over() {
    let bench = Bench::new();
    let wanted = ["name".to_owned()];
    let other = json!({"email": "mine@evil.example", "email_verified": true, "name": "Mallory"});
    bench.evil.set(|script| {
        script.claims = member("email", json!("victim@contoso.com"));
        script.userinfo_claims = other.as_object().cloned();
    });
    let identity = bench.login_wanting(&wanted).await.expect("a sound login");
    assert_eq!(identity.claims["email"], "victim@contoso.com");
    assert!(!identity.claims.contains_key("email_verified"));
    let same = json!({"email": "victim@contoso.com", "email_verified": true, "name": "Alice"});
    bench.evil.set(|script| script.userinfo_claims = same.as_object().cloned());
    let identity = bench.login_wanting(&wanted).await.expect("a sound login");
    assert_eq!(identity.claims["email_verified"], true);
}

#[tokio::test]
async fn userinfo_that_is_always_wanted_needs_an_endpoint() {
    let bench = Bench::with(|idp| idp.userinfo = UserinfoPolicy::Always);
    bench.evil.set(|script| script.metadata = member("userinfo_endpoint", json!(null)));
    assert!(matches!(bench.login().await, Err(UpstreamFault::Misconfigured { .. })));
    let auto = Bench::new();
    auto.evil.set(|script| script.metadata = member("userinfo_endpoint", json!(null)));
    auto.login_wanting(&email()).await.expect("there is nobody to ask");
}
