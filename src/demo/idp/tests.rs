//! The demo identity provider, asked as a relying party asks it, and as one that does it wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::base::{Clock, Dice, Digest, Moment, Secret};
use crate::demo::people::COMPANIES;
use crate::keys::jws::verify_own_id_token;
use crate::keys::signing::{SigningKey, generate};
use crate::keys::verifying::KeySet;
use crate::oidc::client::SigningAlgorithm;
use crate::oidc::params::Params;

const ISSUER: &str = "http://127.0.0.1:8081/contoso";
const BACK: &str = "http://127.0.0.1:8080/federation/auth/response/oauth2/contoso";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const SECRET: &str = "the secret of the broker";

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Moment {
        Moment::from_secs(self.0.load(Ordering::SeqCst))
    }
}

struct Counting(AtomicU64);

impl Dice for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let drawn = Digest::of(self.0.fetch_add(1, Ordering::SeqCst).to_string());
        for (byte, drawn) in bytes.iter_mut().zip(drawn.as_bytes()) {
            *byte = *drawn;
        }
    }
}

/// The provider, its clock, and a browser's cookies.
struct World {
    party: IdentityProvider,
    clock: Arc<Hand>,
    cookies: Vec<(String, String)>,
}

fn world() -> World {
    let clock = Arc::new(Hand(AtomicI64::new(1_800_000_000)));
    let key = generate(SigningAlgorithm::Es256).expect("a key");
    let settings = RealmSettings {
        company: &COMPANIES[0],
        issuer: ISSUER.to_owned(),
        client_secret: Secret::new(SECRET),
        redirect_uri: BACK.to_owned(),
        post_logout_redirect_uri: "http://127.0.0.1:8080/done".to_owned(),
        service: "http://127.0.0.1:8082/".to_owned(),
        key: SigningKey::from_pkcs8(SigningAlgorithm::Es256, key.expose()).expect("a key"),
    };
    let realm = Realm::new(settings, clock.clone(), Arc::new(Counting(AtomicU64::new(0))));
    World { party: IdentityProvider::new(vec![realm]), clock, cookies: Vec::new() }
}

fn params(pairs: &[(&str, &str)]) -> Params {
    Params::from_pairs(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
}

/// A complete authorization request, with some parameters in the place of others; an empty one is left out.
fn ask(changes: &[(&str, &str)]) -> Params {
    let challenge = Digest::of(VERIFIER).base64url();
    let mut pairs = vec![
        ("client_id", "vestibule"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("state", "st&ate"),
        ("nonce", "n"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    params(&pairs)
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
}

/// A parameter of the address that an answer redirects to.
fn told(answer: &Answer, name: &str) -> Option<String> {
    let location = url::Url::parse(header(answer, "Location")?).expect("an address");
    location.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).expect("JSON")
}

impl World {
    fn send(&mut self, method: Method, path: &str, params: Params) -> Answer {
        self.send_with(method, path, params, None)
    }

    fn send_with(&mut self, method: Method, path: &str, params: Params, authorization: Option<String>) -> Answer {
        let (query, form) =
            if method == Method::Get { (params, Params::default()) } else { (Params::default(), params) };
        let request = Request {
            method,
            path: path.to_owned(),
            query,
            form,
            authorization,
            cookies: self.cookies.clone(),
            languages: None,
            from_elsewhere: false,
        };
        let answer = futures_util::FutureExt::now_or_never(self.party.answer(request)).expect("it never waits");
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| *name == "Set-Cookie") {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    fn authorize(&mut self, changes: &[(&str, &str)]) -> Answer {
        self.send(Method::Get, "/contoso/authorize", ask(changes))
    }

    /// The handle in the sign-in page.
    fn handle(page: &Answer) -> String {
        let text = String::from_utf8(page.body.clone()).expect("UTF-8");
        let rest = text.split("name=\"request\" value=\"").nth(1).expect("a sign-in page");
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    fn sign_in(&mut self, page: &Answer, username: &str) -> Answer {
        let handle = Self::handle(page);
        self.send(Method::Post, "/contoso/sign-in", params(&[("request", &handle), ("username", username)]))
    }

    fn redeem(&mut self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("client_id", "vestibule"),
            ("client_secret", SECRET),
        ];
        for (name, value) in changes {
            pairs.retain(|(known, _)| known != name);
            pairs.push((name, value));
        }
        self.send(Method::Post, "/contoso/token", params(&pairs))
    }

    fn signed_in(&mut self) -> String {
        let page = self.authorize(&[]);
        let answer = self.sign_in(&page, "anna@contoso.example");
        told(&answer, "code").expect("a code")
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

#[test]
fn a_sign_in_gives_an_id_token_and_userinfo_for_the_person_who_signed_in() {
    let mut world = world();
    let page = world.authorize(&[]);
    assert_eq!(page.status, 200);
    let answer = world.sign_in(&page, "Anna@Contoso.example");
    assert_eq!((told(&answer, "state").as_deref(), told(&answer, "iss").as_deref()), (Some("st&ate"), Some(ISSUER)));
    world.pass(30);
    let tokens = body(&world.redeem(&told(&answer, "code").expect("a code"), &[]));
    let jwks = String::from_utf8(world.send(Method::Get, "/contoso/jwks", Params::default()).body).expect("UTF-8");
    let keys = KeySet::parse(&jwks).expect("keys");
    let claims = verify_own_id_token(tokens["id_token"].as_str().expect("a token"), &keys, ISSUER).expect("good");
    assert_eq!(
        (&claims["aud"], &claims["nonce"], &claims["sub"]),
        (&json!("vestibule"), &json!("n"), &json!("c-1001"))
    );
    assert_eq!((&claims["auth_time"], &claims["iat"]), (&json!(1_800_000_000), &json!(1_800_000_030)));
    let bearer = Some(format!("Bearer {}", tokens["access_token"].as_str().expect("a token")));
    let about = body(&world.send_with(Method::Get, "/contoso/userinfo", Params::default(), bearer));
    assert_eq!((&about["sub"], &about["email"]), (&json!("c-1001"), &json!("anna@contoso.example")));
    assert_eq!(world.send(Method::Get, "/contoso/userinfo", Params::default()).status, 401);
}

#[test]
fn a_code_pays_once_within_a_minute_and_its_second_use_ends_the_access_token() {
    let mut world = world();
    let code = world.signed_in();
    let tokens = body(&world.redeem(&code, &[]));
    let bearer = Some(format!("Bearer {}", tokens["access_token"].as_str().expect("a token")));
    let userinfo =
        |world: &mut World| world.send_with(Method::Get, "/contoso/userinfo", Params::default(), bearer.clone()).status;
    assert_eq!(userinfo(&mut world), 200);
    assert_eq!(body(&world.redeem(&code, &[]))["error"], "invalid_grant");
    assert_eq!(userinfo(&mut world), 401);
    let late = told(&world.authorize(&[]), "code").expect("a code");
    world.pass(60);
    assert_eq!(body(&world.redeem(&late, &[]))["error"], "invalid_grant");
}

#[test]
fn a_wrong_secret_verifier_or_redirect_uri_gets_nothing() {
    for (name, value, error) in [
        ("client_secret", "another", "invalid_client"),
        ("client_id", "another", "invalid_client"),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", "invalid_grant"),
        ("redirect_uri", "http://127.0.0.1:8080/other", "invalid_grant"),
        ("grant_type", "password", "unsupported_grant_type"),
    ] {
        let mut world = world();
        let code = world.signed_in();
        assert_eq!(body(&world.redeem(&code, &[(name, value)]))["error"], error, "{name}");
    }
}

#[test]
fn the_client_may_send_its_secret_in_the_header_but_not_in_both_places() {
    let mut world = world();
    let code = world.signed_in();
    let basic = Some(format!("Basic {}", STANDARD.encode("vestibule:the+secret+of+the+broker")));
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", BACK)];
    let with = |more: &[(&str, &str)]| params(&[form.as_slice(), &[("code_verifier", VERIFIER)], more].concat());
    let both = world.send_with(Method::Post, "/contoso/token", with(&[("client_secret", SECRET)]), basic.clone());
    assert_eq!(body(&both)["error"], "invalid_request");
    assert_eq!(world.send_with(Method::Post, "/contoso/token", with(&[]), basic).status, 200);
}

#[test]
fn a_request_that_is_wrong_is_told_the_client_and_one_of_a_stranger_a_page() {
    let mut world = world();
    for (name, value) in [("client_id", "other"), ("redirect_uri", "http://127.0.0.1:8080/other")] {
        let answer = world.authorize(&[(name, value)]);
        assert_eq!((answer.status, header(&answer, "Location")), (400, None), "{name}");
    }
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "profile", "invalid_scope"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("request", "x", "request_not_supported"),
        ("request_uri", "x", "request_uri_not_supported"),
        ("prompt", "none", "login_required"),
    ] {
        let answer = world.authorize(&[(name, value)]);
        assert_eq!(told(&answer, "error").as_deref(), Some(error), "{name}");
        assert_eq!(told(&answer, "iss").as_deref(), Some(ISSUER), "{name}");
    }
}

#[test]
fn who_is_signed_in_goes_on_in_silence_unless_somebody_else_or_a_fresh_sign_in_is_asked_for() {
    let mut world = world();
    world.signed_in();
    world.pass(100);
    for silent in [
        &[][..],
        &[("prompt", "none")],
        &[("login_hint", "ANNA@contoso.example")],
        &[("max_age", "100")],
        &[("prompt", "none"), ("login_hint", "anna@contoso.example")],
    ] {
        assert!(told(&world.authorize(silent), "code").is_some(), "{silent:?}");
    }
    for shown in [
        &[("prompt", "login")][..],
        &[("prompt", "select_account")],
        &[("login_hint", "ben@contoso.example")],
        &[("max_age", "99")],
    ] {
        assert_eq!(world.authorize(shown).status, 200, "{shown:?}");
    }
    for refused in [&[("login_hint", "ben@contoso.example")][..], &[("max_age", "99")]] {
        let answer = world.authorize(&[refused, &[("prompt", "none")]].concat());
        assert_eq!(told(&answer, "error").as_deref(), Some("login_required"), "{refused:?}");
    }
}

#[test]
fn a_sign_in_page_is_good_once_and_in_its_own_browser_only() {
    let mut world = world();
    let page = world.authorize(&[]);
    let unknown = world.sign_in(&page, "carla@fabrikam.example");
    assert_eq!(unknown.status, 200, "nobody of that name works here");
    let cookies = std::mem::take(&mut world.cookies);
    assert!(header(&world.sign_in(&page, "anna@contoso.example"), "Location").is_none());
    world.cookies = cookies;
    assert!(told(&world.sign_in(&unknown, "anna@contoso.example"), "code").is_some());
    assert!(header(&world.sign_in(&page, "ben@contoso.example"), "Location").is_none());
}

#[test]
fn only_an_id_token_of_this_very_session_signs_out_without_a_question() {
    let mut world = world();
    let code = world.signed_in();
    let id_token = body(&world.redeem(&code, &[]))["id_token"].as_str().expect("a token").to_owned();
    let done = ("post_logout_redirect_uri", "http://127.0.0.1:8080/done");
    let asked = world.send(Method::Get, "/contoso/logout", params(&[done]));
    assert_eq!((asked.status, header(&asked, "Location")), (200, None));
    assert!(told(&world.authorize(&[("prompt", "none")]), "code").is_some(), "still signed in");
    let ended =
        world.send(Method::Get, "/contoso/logout", params(&[done, ("id_token_hint", &id_token), ("state", "s t")]));
    assert_eq!(header(&ended, "Location"), Some("http://127.0.0.1:8080/done?state=s+t"));
    assert!(told(&world.authorize(&[("prompt", "none")]), "error").is_some());
}

#[test]
fn methods_and_paths_that_are_not_there_are_refused() {
    let mut world = world();
    assert_eq!(world.send(Method::Get, "/contoso/token", Params::default()).status, 405);
    assert_eq!(world.send(Method::Other, "/contoso/authorize", Params::default()).status, 405);
    for nowhere in ["/", "/contoso", "/contoso/x", "/fabrikam/authorize", "//authorize"] {
        assert_eq!(world.send(Method::Get, nowhere, Params::default()).status, 404, "{nowhere}");
    }
}
