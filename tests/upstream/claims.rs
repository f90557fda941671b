//! The ID token's claims.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::bench::{Bench, NONCE, check, member};

/// Each value in place of a claim makes the login fail this check.
async fn refused(claim: &'static str, values: impl IntoIterator<Item = Value>, failed: &str) {
    let bench = Bench::new();
    for value in values {
        let shown = value.to_string();
        let got = bench.check_failed(|script| script.claims = member(claim, value)).await;
        assert_eq!(got, failed, "{claim} = {shown}");
        assert_eq!(bench.evil.count("/userinfo"), 0, "nobody is asked about a person not proven");
    }
}

async fn accepted(claim: &'static str, values: impl IntoIterator<Item = Value>) {
    let bench = Bench::new();
    for value in values {
        bench.evil.set(|script| script.claims = member(claim, value.clone()));
        bench.login().await.unwrap_or_else(|fault| panic!("{claim} = {value}: {fault:?}"));
    }
}

const NOW: i64 = 1_800_000_000;

#[tokio::test]
async fn a069_c085_another_issuer_is_refused() {
    let issuer = Bench::new().evil.issuer();
    let values = [
        json!(format!("{issuer}/")),
        json!(issuer.to_uppercase()),
        json!("https://login.microsoftonline.com/{tenantid}/v2.0"),
        json!(issuer.replace("http:", "https:")),
        json!([issuer]),
        json!(7),
        Value::Null,
    ];
    refused("iss", values, "iss").await;
}

#[tokio::test]
async fn a069_a163_a_token_of_another_tenant_is_refused() {
    let bench = Bench::with(|idp| idp.matching.tenant = Some("11111111-aaaa".to_owned()));
    for tid in [Value::Null, json!("22222222-bbbb"), json!("11111111-AAAA"), json!(["11111111-aaaa"])] {
        let victim = json!({"sub": "x", "email": "victim@contoso.com", "preferred_username": "victim@contoso.com"});
        let failed = bench
            .check_failed(|script| {
                script.person = victim.as_object().cloned().expect("an object");
                script.claims = member("tid", tid);
            })
            .await;
        assert_eq!(failed, "tid");
    }
    bench.evil.set(|script| script.claims = member("tid", json!("11111111-aaaa")));
    bench.login().await.expect("the pinned tenant");
}

#[tokio::test]
async fn a070_c085_c106_an_audience_that_is_not_us_alone_is_refused() {
    let us = "vestibule at evil";
    let values = [
        json!("somebody else"),
        Value::Null,
        json!([]),
        json!([us, "somebody else"]),
        json!([us, us]),
        json!({"a": us}),
        json!(7),
    ];
    refused("aud", values, "aud").await;
}

#[tokio::test]
async fn a070_an_authorized_party_that_is_not_us_is_refused() {
    refused("azp", [json!("somebody else"), json!(7), json!(["vestibule at evil"])], "azp").await;
    accepted("azp", [json!("vestibule at evil")]).await;
}

#[tokio::test]
async fn c108_an_audience_list_of_one_is_accepted() {
    accepted("aud", [json!(["vestibule at evil"])]).await;
}

#[tokio::test]
async fn a071_c085_c106_a_missing_or_other_nonce_is_refused() {
    let values = [Value::Null, json!("the-nonce-of-another-login"), json!(""), json!([NONCE]), json!(7)];
    refused("nonce", values, "nonce").await;
}

#[tokio::test]
async fn a072_c106_an_expiry_that_is_no_time_is_refused() {
    let values = [json!("1800000300"), json!(1e308), json!(-1), json!([NOW]), json!(true), Value::Null];
    refused("exp", values, "exp").await;
    refused("nbf", [json!("1800000000"), json!(1e308), json!(-5)], "nbf").await;
    refused("auth_time", [json!("yesterday"), json!(1e308)], "auth_time").await;
}

#[tokio::test]
async fn a073_c106_times_are_kept_to_the_minute() {
    refused("exp", [json!(NOW - 61), json!(NOW - 100_000), json!(0)], "exp").await;
    accepted("exp", [json!(NOW - 60), json!(NOW + 1), json!(NOW as f64 + 0.5)]).await;
    refused("nbf", [json!(NOW + 61)], "nbf").await;
    accepted("nbf", [json!(NOW + 60), json!(NOW - 3600)]).await;
    refused("iat", [json!(NOW + 61), json!(NOW - 86_400), json!("now"), Value::Null], "iat").await;
    accepted("iat", [json!(NOW + 60), json!(NOW - 86_399)]).await;
}

#[tokio::test]
async fn a074_c085_a_subject_that_is_no_plain_text_is_refused() {
    let values =
        [Value::Null, json!(""), json!("s".repeat(256)), json!(7), json!("a\u{0}b"), json!("a\nb"), json!(["a"])];
    refused("sub", values, "sub").await;
    accepted("sub", [json!("s".repeat(255)), json!("ä ö")]).await;
}

#[tokio::test]
async fn a075_c091_a_wrong_hash_is_refused_and_a_missing_one_is_fine() {
    refused("at_hash", [json!("77QmUPtjPfzWtF2AnpK9RQ"), json!(""), json!(7)], "at_hash").await;
    refused("c_hash", [json!("77QmUPtjPfzWtF2AnpK9RQ"), json!(7)], "c_hash").await;
    accepted("at_hash", [Value::Null]).await;
}

#[tokio::test]
async fn a076_doubled_members_depth_and_size_are_refused() {
    // Signed soundly, so that only the form is at fault: the claims are swapped in before the signature.
    let bench = Bench::new();
    let mut deep = json!(1);
    for _ in 0..32 {
        deep = json!([deep]);
    }
    let failed = bench.check_failed(|script| script.claims = member("x", deep.clone())).await;
    assert_eq!(failed, "id_token_json");
    let failed = bench.check_failed(|script| script.claims = member("x", json!("x".repeat(60_000)))).await;
    assert_eq!(failed, "id_token_size");
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","alg":"none","kid":"rsa-0"}"#);
    let failed = bench.check_failed(|script| script.id_token = Some(format!("{header}.e30.c2ln"))).await;
    assert_eq!(failed, "id_token_header");
    let huge = "x".repeat(2_000_000);
    assert_eq!(bench.check_failed(|script| script.claims = member("x", json!(huge))).await, "body_size");
}

#[tokio::test]
async fn what_is_not_checked_comes_through_and_nothing_shows_in_debug() {
    let bench = Bench::new();
    bench.evil.set(|script| {
        script.claims = Some(Arc::new(|claims| {
            claims.insert("acr".to_owned(), json!("urn:mfa"));
            claims.insert("amr".to_owned(), json!(["pwd", "otp", 7]));
            claims.insert("sid".to_owned(), json!("upstream-session"));
            claims.insert("email".to_owned(), json!("alice@contoso.com"));
        }));
    });
    let identity = bench.login().await.expect("a sound login");
    assert_eq!(identity.acr.as_deref(), Some("urn:mfa"));
    assert_eq!(identity.amr, ["pwd", "otp"]);
    assert_eq!(identity.sid.as_deref(), Some("upstream-session"));
    assert_eq!(identity.claims["email"], json!("alice@contoso.com"));
    assert!(!format!("{identity:?}").contains("alice"));
    bench.evil.set(|script| script.claims = member("nonce", json!("other")));
    let fault = bench.login().await.expect_err("another nonce");
    assert!(!format!("{fault:?} {fault}").contains("alice"));
    assert_eq!(check::<()>(Err(fault)), "nonce");
}
