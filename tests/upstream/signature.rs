//! Signatures, headers and keys.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use vestibule::base::Span;

use crate::bench::{Bench, check, member, until};
use crate::evil_idp::{Answer, Sign};

#[tokio::test]
async fn c087_every_configured_algorithm_is_accepted() {
    let bench = Bench::new();
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        bench.evil.set(|script| script.alg = alg);
        let identity = bench.login().await.expect(alg);
        assert_eq!(identity.subject, "alice-at-idp");
        assert_eq!(identity.issuer, bench.evil.issuer());
        assert!(identity.auth_time.is_some());
    }
}

#[tokio::test]
async fn a059_c086_a_flipped_signature_bit_is_refused() {
    let bench = Bench::new();
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let failed = bench
            .check_failed(|script| {
                script.alg = alg;
                script.sign = Sign::FlippedBit;
            })
            .await;
        assert_eq!(failed, "signature", "{alg}");
    }
    assert_eq!(bench.check_failed(|script| script.sign = Sign::Empty).await, "signature");
    assert_eq!(bench.check_failed(|script| script.sign = Sign::ForeignKey).await, "signature");
}

#[tokio::test]
async fn a060_c088_algorithms_that_are_not_configured_are_refused() {
    let bench = Bench::new();
    for alg in ["none", "nOnE", "", "RS384", "rs256", "HS256"] {
        for sign in [Sign::Empty, Sign::Soundly] {
            let failed = bench
                .check_failed(|script| {
                    script.header = member("alg", json!(alg));
                    script.sign = sign;
                })
                .await;
            assert_eq!(failed, "id_token_alg", "{alg}");
        }
    }
    assert_eq!(bench.check_failed(|script| script.header = member("alg", Value::Null)).await, "id_token_alg");
    assert_eq!(bench.check_failed(|script| script.header = member("alg", json!(["RS256"]))).await, "id_token_alg");
    let narrow = Bench::with(|idp| idp.id_token_algs = vec!["ES256".to_owned()]);
    assert_eq!(check(narrow.login().await), "id_token_alg");
}

#[tokio::test]
async fn a060_c106_an_algorithm_that_discovery_does_not_announce_is_refused() {
    let bench = Bench::new();
    bench.evil.set(|script| script.metadata = member("id_token_signing_alg_values_supported", json!(["RS256"])));
    bench.login().await.expect("RS256 is announced");
    bench.evil.set(|script| script.alg = "ES256");
    assert_eq!(check(bench.login().await), "id_token_alg");
}

#[tokio::test]
async fn a061_an_hmac_keyed_with_the_public_key_is_refused() {
    let bench = Bench::new();
    for alg in ["HS256", "RS256"] {
        let failed = bench
            .check_failed(|script| {
                script.header = member("alg", json!(alg));
                script.sign = Sign::HmacWithPublicKey;
            })
            .await;
        assert!(["id_token_alg", "signature"].contains(&failed), "{failed}");
    }
    let confused = bench
        .check_failed(|script| {
            script.alg = "ES256";
            script.header = member("kid", json!("rsa-0"));
        })
        .await;
    assert_eq!(confused, "signature", "the kind of the key must fit the algorithm");
}

#[tokio::test]
async fn a062_keys_and_addresses_in_the_header_are_ignored_without_a_fetch() {
    let bench = Bench::new();
    let issuer = bench.evil.issuer();
    for name in ["jwk", "jku", "x5u", "x5c"] {
        let own = json!({"kty": "RSA", "kid": "own", "n": "AQAB", "e": "AQAB"});
        let value = if name == "jwk" { own } else { json!(format!("{issuer}/elsewhere")) };
        bench.evil.reset();
        bench.evil.set(|script| script.header = member(name, value.clone()));
        bench.login().await.expect("the header member is ignored");
        bench.evil.set(|script| script.sign = Sign::ForeignKey);
        assert_eq!(check(bench.login().await), "signature", "{name}");
    }
    assert_eq!(bench.evil.count("/elsewhere"), 0);
}

#[tokio::test]
async fn a063_odd_key_ids_are_text_or_refused() {
    let bench = Bench::new();
    for kid in ["../../x", "' OR 1", "rsa-0 ", ""] {
        assert_eq!(bench.check_failed(|script| script.header = member("kid", json!(kid))).await, "signature", "{kid}");
    }
    for kid in [json!("x".repeat(10_240)), json!(7), json!(["rsa-0"]), json!({})] {
        assert_eq!(bench.check_failed(|script| script.header = member("kid", kid)).await, "id_token_kid");
    }
}

#[tokio::test]
async fn a064_unknown_key_ids_cost_one_fetch_a_minute_and_good_logins_go_on() {
    let bench = Bench::new();
    bench.login().await.expect("a sound login");
    assert_eq!(bench.evil.count("/jwks"), 1);
    for _ in 0..50 {
        bench.evil.set(|script| script.header = member("kid", json!("unknown")));
        assert_eq!(check(bench.login().await), "signature");
        bench.evil.reset();
        bench.login().await.expect("a sound login");
    }
    assert_eq!(bench.evil.count("/jwks"), 2);
    bench.hands.pass(Span::secs(60));
    bench.evil.set(|script| script.header = member("kid", json!("unknown")));
    assert_eq!(check(bench.login().await), "signature");
    assert_eq!(bench.evil.count("/jwks"), 3);
}

#[tokio::test]
async fn c096_c097_a_rotated_key_is_found_by_one_fetch() {
    let bench = Bench::new();
    bench.login().await.expect("with the first key");
    bench.evil.rotate_keys();
    bench.login().await.expect("with the second key");
    bench.login().await.expect("with the second key");
    assert_eq!(bench.evil.count("/jwks"), 2);
    bench.hands.pass(Span::secs(60));
    bench.evil.rotate_keys();
    bench.evil.set(|script| script.header = member("kid", Value::Null));
    bench.login().await.expect("a token that names no key is checked with newer ones, too");
}

#[tokio::test]
async fn f25_a_hundred_waiting_logins_share_one_fetch_of_rotated_keys() {
    let bench = Bench::new();
    bench.login().await.expect("with the first key");
    bench.evil.rotate_keys();
    let gate = Arc::new(Semaphore::new(0));
    bench.evil.set(|script| script.jwks = Answer::Held(Arc::clone(&gate)));
    let logins = join_all((0..100).map(|_| bench.login()));
    let opener = async {
        until(async || bench.evil.count("/token") >= 100).await;
        gate.add_permits(1);
    };
    let (outcomes, ()) = tokio::join!(logins, opener);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(bench.evil.count("/jwks"), 2);
}

#[tokio::test]
async fn f25_logins_go_on_for_a_day_while_the_keys_cannot_be_fetched() {
    let bench = Bench::new();
    bench.login().await.expect("a sound login");
    bench.evil.set(|script| script.jwks = Answer::Fixed(503, "text/plain", "down".to_owned()));
    bench.hands.pass(Span::hours(24));
    bench.login().await.expect("with keys a day old");
    bench.hands.pass(Span::hours(1));
    assert!(bench.login().await.is_err());
}

#[tokio::test]
async fn a065_c089_c090_a_missing_key_id_is_made_up_for_by_trying() {
    let bench = Bench::new();
    bench.evil.set(|script| {
        script.keys = 3;
        script.header = member("kid", Value::Null);
    });
    bench.login().await.expect("one of three keys fits");
    let twins = Bench::new();
    twins.evil.set(|script| {
        script.keys = 2;
        script.header = member("kid", json!("twin"));
        script.jwks_body = Some(Arc::new(|set| {
            for key in set["keys"].as_array_mut().expect("a list") {
                key["kid"] = json!("twin");
            }
        }));
    });
    twins.login().await.expect("both keys of the name are tried");
}

#[tokio::test]
async fn a066_bad_key_sets_are_refused_and_the_last_good_one_stays() {
    let bench = Bench::new();
    bench.login().await.expect("a sound login");
    let oct = json!({"keys": [{"kty": "oct", "kid": "rsa-0", "k": "c2VjcmV0"}]}).to_string();
    let huge = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(5_000_000));
    let html = ("text/html", "<html>login</html>".to_owned());
    for (content_type, body) in [("application/json", oct), ("application/json", huge), html] {
        let fresh = Bench::new();
        fresh.evil.set(|script| script.jwks = Answer::Fixed(200, content_type, body.clone()));
        let failed = check(fresh.login().await);
        assert!(["jwks", "body_size"].contains(&failed), "{failed}");
        bench.evil.set(|script| script.jwks = Answer::Fixed(200, content_type, body));
        bench.hands.pass(Span::hours(2));
        bench.login().await.expect("with the last good keys");
    }
}

#[tokio::test]
async fn a067_critical_extensions_and_other_forms_are_refused() {
    let bench = Bench::new();
    for (name, value) in [("crit", json!(["exp"])), ("crit", json!([])), ("b64", json!(false)), ("b64", json!(true))] {
        assert_eq!(bench.check_failed(|script| script.header = member(name, value)).await, "id_token_crit");
    }
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"rsa-0"}"#);
    let five_parts = format!("{header}.a.b.c.d");
    for (token, failed) in [
        (five_parts, "id_token_form"),
        (".".repeat(60_000), "id_token_form"),
        (".".repeat(1_000_000 - 2_000), "id_token_size"),
        (String::new(), "id_token_form"),
        (format!("{header}."), "id_token_form"),
        (format!("{header}=.e30.c2ln"), "id_token_form"),
        (format!(" {header}.e30.c2ln"), "id_token_form"),
    ] {
        assert_eq!(bench.check_failed(|script| script.id_token = Some(token)).await, failed);
    }
}

#[tokio::test]
async fn a068_tokens_of_another_kind_are_refused() {
    let bench = Bench::new();
    for typ in [json!("logout+jwt"), json!("at+jwt"), json!("application/at+jwt"), json!(7), Value::from("")] {
        assert_eq!(bench.check_failed(|script| script.header = member("typ", typ)).await, "id_token_typ");
    }
    for typ in ["JWT", "jwt"] {
        bench.evil.reset();
        bench.evil.set(|script| script.header = member("typ", json!(typ)));
        bench.login().await.expect(typ);
    }
    let opaque = bench.check_failed(|script| script.id_token = Some("2YotnFZFEjr1zCsicMWpAA".to_owned())).await;
    assert_eq!(opaque, "id_token_form", "an access token is no ID token");
}

#[tokio::test]
async fn a080_signatures_of_zeros_and_keys_with_exponent_one_are_refused() {
    let bench = Bench::new();
    let zeros = bench
        .check_failed(|script| {
            script.alg = "ES256";
            script.sign = Sign::Zeros;
        })
        .await;
    assert_eq!(zeros, "signature");
    let fresh = Bench::new();
    let exponent_one = fresh
        .check_failed(|script| {
            script.jwks_body = Some(Arc::new(|set| set["keys"][0]["e"] = json!("AQ")));
        })
        .await;
    assert_eq!(exponent_one, "signature");
}
