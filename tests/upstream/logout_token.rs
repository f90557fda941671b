//! Logout tokens: each flaw is found for what it is, and with nothing fetched that isn't needed for it.

use serde_json::json;
use vestibule::base::{Moment, Span};
use vestibule::upstream::{LogoutNotice, LogoutToken, LogoutTokenFault};

use crate::bench::{Bench, member};
use crate::evil_idp::Answer;
use crate::evil_idp::logout::Flaw;

fn bench() -> Bench {
    Bench::with(|idp| {
        idp.client_id = "vestibule".to_owned();
        idp.id_token_algs = vec!["RS256".to_owned()];
    })
}

async fn heard(bench: &Bench, token: &str) -> Result<LogoutNotice, LogoutTokenFault> {
    bench.upstream.signed_out(&bench.idp, &LogoutToken::read(token)?).await
}

async fn check_failed(bench: &Bench, token: &str) -> &'static str {
    match heard(bench, token).await {
        Err(fault @ LogoutTokenFault::Refused(_)) => fault.check(),
        other => panic!("not refused: {other:?}"),
    }
}

const fn check(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::WrongIssuer
        | Flaw::IssuerWithSlash
        | Flaw::NoIssuer
        | Flaw::WrongAudience
        | Flaw::OneAudienceTooMany
        | Flaw::NoAudience => "iss",
        Flaw::Nonce | Flaw::EmptyNonce => "nonce",
        Flaw::NoEvents | Flaw::EventsAreText | Flaw::EventsAreList | Flaw::OtherEvent | Flaw::EventIsText => "events",
        Flaw::Expired | Flaw::NoExp | Flaw::ExpIsText => "exp",
        Flaw::NotYet => "nbf",
        Flaw::OldIat | Flaw::IatAhead | Flaw::NoIat => "iat",
        Flaw::NoJti | Flaw::EmptyJti | Flaw::JtiIsNumber => "jti",
        Flaw::NeitherSidNorSub | Flaw::EmptySub => "sub",
        Flaw::SidIsNumber => "sid",
        Flaw::AlgNone | Flaw::AlgHs256 | Flaw::AlgOtherThanConfigured => "id_token_alg",
        Flaw::TypeOfAccessTokens | Flaw::TypeIsNumber => "id_token_typ",
        Flaw::Crit | Flaw::B64 => "id_token_crit",
        Flaw::FourParts => "id_token_form",
        Flaw::ClaimTwice => "json",
        Flaw::Long => "size",
        Flaw::ForeignKey | Flaw::UnknownKid | Flaw::FlippedBit | Flaw::NoSignature | Flaw::Cut => "signature",
    }
}

#[tokio::test]
async fn a128_c103_each_flaw_fails_its_own_check() {
    let bench = bench();
    let named = || json!({ "sid": "s", "sub": "alice" });
    for flaw in Flaw::ALL.into_iter().filter(|flaw| check(*flaw) != "signature") {
        assert_eq!(check_failed(&bench, &bench.evil.bad_logout_token(named(), flaw)).await, check(flaw), "{flaw:?}");
    }
    assert!(bench.evil.seen().is_empty(), "nothing is fetched for what is wrong in itself");
    for flaw in Flaw::ALL.into_iter().filter(|flaw| check(*flaw) == "signature") {
        assert_eq!(check_failed(&bench, &bench.evil.bad_logout_token(named(), flaw)).await, "signature", "{flaw:?}");
    }
    assert_eq!(bench.evil.count("/jwks"), 2, "once, and once more for a key that nobody has");
    let notice = heard(&bench, &bench.evil.logout_token(named())).await.expect("sound");
    assert_eq!((notice.sid.as_deref(), notice.subject.as_deref()), (Some("s"), Some("alice")));
    assert_eq!(notice.issued, Moment::from_secs(1_800_000_000));
}

#[tokio::test]
async fn a129_an_id_token_fails_the_checks_of_a_logout_token() {
    let bench = bench();
    assert_eq!(check_failed(&bench, &bench.evil.id_token("vestibule", "nonce")).await, "events");
}

#[tokio::test]
async fn an_algorithm_that_discovery_no_longer_announces_is_refused() {
    let bench = bench();
    bench.evil.set(|script| script.metadata = member("id_token_signing_alg_values_supported", json!(["ES256"])));
    assert_eq!(check_failed(&bench, &bench.evil.logout_token(json!({ "sid": "s" }))).await, "id_token_alg");
}

#[tokio::test]
async fn of_another_tenant_is_refused_and_of_none_it_is_not() {
    let bench = Bench::with(|idp| {
        idp.client_id = "vestibule".to_owned();
        idp.matching.tenant = Some("t-1".to_owned());
    });
    assert_eq!(check_failed(&bench, &bench.evil.logout_token(json!({ "sid": "s", "tid": "t-2" }))).await, "tid");
    for named in [json!({ "sid": "s", "tid": "t-1" }), json!({ "sid": "s" })] {
        assert!(heard(&bench, &bench.evil.logout_token(named)).await.is_ok());
    }
}

#[tokio::test]
async fn keys_that_cannot_be_had_make_no_token_wrong() {
    let bench = bench();
    let token = bench.evil.logout_token(json!({ "sid": "s" }));
    let no_keys = async |what: &str| {
        let outcome = heard(&bench, &token).await;
        assert!(matches!(outcome, Err(LogoutTokenFault::NoKeys(_))), "{what}: {outcome:?}");
        bench.evil.reset();
        bench.hands.pass(Span::secs(3));
    };
    bench.evil.set(|script| script.discovery = Answer::Fixed(503, "text/plain", String::new()));
    no_keys("no discovery").await;
    bench.evil.set(|script| script.metadata = member("issuer", json!("https://evil.test")));
    no_keys("a document of somebody else's").await;
    bench.evil.set(|script| script.jwks = Answer::Fixed(200, "application/json", "[]".to_owned()));
    no_keys("no key set").await;
    assert!(heard(&bench, &token).await.is_ok(), "and in the end it is heard");
}

#[tokio::test]
async fn a064_a_flood_of_unknown_keys_forces_one_fetch_a_minute() {
    let bench = bench();
    let bad = || bench.evil.bad_logout_token(json!({ "sid": "s" }), Flaw::UnknownKid);
    for minute in 1..=3 {
        for _ in 0..50 {
            assert_eq!(check_failed(&bench, &bad()).await, "signature");
        }
        assert_eq!(bench.evil.count("/jwks"), 1 + minute);
        bench.hands.pass(Span::minutes(1));
    }
    assert!(heard(&bench, &bench.evil.logout_token(json!({ "sid": "s" }))).await.is_ok());
}
