//! One login from beginning to end without a door, in the order in which `ARCHITECTURE.md` tells it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, json};

use super::accept::accept;
use super::admit::{check_freshness, jit_attributes, match_key};
use super::callback::{CallbackEnd, Expected, callback};
use super::code::{CodeRequest, grant, issue, redeem};
use super::next::{LiveSession, Next, next};
use super::pending::{Destination, FreshSecrets, PENDING_VERSION, PendingLogin, upstream_request};
use super::request::{client_id, validate_client};
use super::session::{SESSION_VERSION, Session};
use super::{Answer, AuthorizationRequest};
use crate::audit::Trace;
use crate::base::{Digest, Moment, Secret, Span};
use crate::hint::{Ask, EntryPath, Guard, Lookup, Realm, Reuse, Verdict, check_return, decide, home_realm};
use crate::i18n::PageError;
use crate::identity::{Directory, User, UserId};
use crate::oidc::idp::Matching;
use crate::oidc::params::Params;
use crate::oidc::pkce::CodeChallenge;
use crate::oidc::{Client, Idp, IdpId, Scope};
use crate::token::samples;

const ISSUER: &str = "https://id.example.com/acs";
const REDIRECT: &str = "https://rp.example.com/cb?tenant=1";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const NOW: Moment = Moment::from_secs(1_800_000_000);

fn client() -> Arc<Client> {
    let scopes = vec![Scope::Openid, Scope::Email];
    Arc::new(Client { redirect_uris: vec![REDIRECT.into()], scopes, ..samples::client() })
}

fn idp() -> Arc<Idp> {
    let mapped = [("userName", "email"), ("active", "active")];
    Arc::new(Idp {
        id: IdpId("up".into()),
        issuer: "https://up.example.com".into(),
        domains: vec!["contoso.com".into()],
        matching: Matching { claim: "sub".into(), ..samples::idp().matching },
        user_attributes: mapped.map(|(attribute, claim)| (attribute.to_owned(), claim.to_owned())).into(),
        ..samples::idp()
    })
}

fn directories() -> BTreeMap<String, Arc<Directory>> {
    let attributes = ["userName", "externalId", "active"].map(str::to_owned).into();
    let contoso = Directory { attributes, domains: vec!["contoso.com".into()], ..samples::directory() };
    [("contoso".to_owned(), Arc::new(contoso))].into()
}

fn user(name: &str) -> User {
    User {
        id: UserId("u1".into()),
        directory: "contoso".into(),
        active: true,
        sessions_valid_from: NOW.minus(Span::days(1)),
        attributes: [("userName".to_owned(), json!(name))].into(),
        email_verified: false,
        former_names: Vec::new(),
        updated_at: NOW,
    }
}

fn params(extra: &[(&str, &str)]) -> Params {
    let challenge = CodeChallenge::of(VERIFIER);
    let base = [
        ("client_id", "access"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "email openid phone"),
        ("state", "a b&c"),
        ("nonce", "n1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("login_hint", "alice+x@contoso.com"),
    ];
    let replaced = |name: &str| extra.iter().any(|(other, _)| *other == name);
    let kept = base.iter().filter(|(name, _)| !replaced(name)).chain(extra);
    Params::from_pairs(kept.map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
}

fn accepted(extra: &[(&str, &str)]) -> Result<AuthorizationRequest, Answer> {
    let params = params(extra);
    assert_eq!(client_id(&params), Ok("access"));
    let proven = validate_client(client(), &params, ISSUER).expect("the redirect URI is registered");
    accept(proven, EntryPath::Get).map_err(|back| back.0.error(back.1))
}

fn pending(asked: AuthorizationRequest, guard: &Guard) -> PendingLogin {
    PendingLogin {
        version: PENDING_VERSION,
        started: NOW,
        destination: Destination::Client(Box::new(asked)),
        idp: IdpId("up".into()),
        redirect_uri: "https://id.example.com/federation/auth/response/oauth2/up".into(),
        nonce: Secret::new("nonce"),
        verifier: Secret::new("verifier"),
        guard: guard.clone(),
        login_forced: false,
        config: Digest::of("files"),
        trace: Trace::begin("ref".into(), NOW),
        counted_at: 0,
    }
}

fn session() -> Session {
    Session {
        version: SESSION_VERSION,
        sid: "sid".into(),
        user: UserId("u1".into()),
        directory: "contoso".into(),
        idp: IdpId("up".into()),
        upstream_sid: None,
        upstream_subject: None,
        auth_time: NOW,
        acr: None,
        amr: Vec::new(),
        created: NOW,
        last_used: NOW,
        last_client: None,
    }
}

#[test]
fn a_whole_login_passes_stage_by_stage() {
    let asked = accepted(&[]).expect("accepted");
    assert_eq!(asked.scopes, [Scope::Openid, Scope::Email], "unknown scopes are left out");
    let (client, idps, directories) = (client(), [idp()], directories());
    let ask = Ask {
        path: asked.entry,
        received: asked.hint.as_ref(),
        typed: None,
        accept_hints: client.accept_hints,
        domain: None,
        prompt: asked.prompt,
        idps: &idps,
        directories: &directories,
        chosen: None,
    };
    let Next::Upstream(chosen) = next(&asked, None, home_realm(&ask), NOW) else { panic!("upstream") };
    let decision = decide(&chosen, &ask, Lookup::NotAsked);
    let token = |text: &str| Secret::new(text);
    let fresh =
        FreshSecrets { state: token("st"), nonce: token("no"), verifier: token(VERIFIER), binding: token("bi") };
    let destination = Destination::Client(Box::new(asked.clone()));
    let upstream = upstream_request(&destination, &chosen, &decision, &fresh, "https://id.example.com/r".into());
    assert_eq!(upstream.login_hint.as_deref(), Some("alice+x@contoso.com"));
    assert_eq!(upstream.challenge, CodeChallenge::of(VERIFIER));

    let pending = pending(asked.clone(), decision.guard());
    let answer = Params::from_pairs(vec![("code".into(), "c1".into()), ("state".into(), "st".into())]);
    let expected =
        Expected { issuer: "https://up.example.com", announces_iss: false, at: Some(&pending.idp), shared: false };
    assert_eq!(callback(&pending, &answer, &expected, NOW).expect("a code").0.expose(), "c1");
    let claims = json!({ "sub": "s1", "email": "alice+x@contoso.com", "active": false });
    let claims: Map<_, _> = claims.as_object().cloned().expect("an object");
    let key = match_key(&chosen, &claims).expect("a key");
    assert_eq!((key.attribute.as_str(), key.value.as_str()), ("externalId", "s1"));
    let written = jit_attributes(&chosen, &directories["contoso"], &claims, &key);
    assert_eq!(written.keys().collect::<Vec<_>>(), ["externalId", "userName"], "a174: active is never written");
    assert!(check_freshness(&pending, &chosen, None, NOW).is_ok());
    assert_eq!(check_return(&pending.guard, &user("Alice+X@contoso.com"), &claims), Verdict::Fits);

    let issued = issue(&asked, grant(&asked, &session()), NOW, "ref");
    let Answer::Redirect(url) = asked.back.code("c2") else { panic!("query mode") };
    assert_eq!(url, format!("{REDIRECT}&code=c2&state=a+b%26c&iss=https%3A%2F%2Fid.example.com%2Facs"));
    let token_request = params(&[("code", "c2"), ("code_verifier", VERIFIER)]);
    let token_request = CodeRequest::parse(&token_request).expect("a code");
    assert!(redeem(&issued, &token_request, &client, NOW).is_ok());
    let late = NOW.plus(Span::secs(61));
    assert!(redeem(&issued, &token_request, &client, late).is_err(), "c062: a code lives sixty seconds");
}

#[test]
fn nothing_is_redirected_before_the_redirect_uri_is_proven() {
    for uri in
        ["https://rp.example.com/cb", "https://rp.example.com/cb?tenant=1#x", "HTTPS://rp.example.com/cb?tenant=1"]
    {
        let params = params(&[("redirect_uri", uri), ("response_type", "token")]);
        let refused = validate_client(client(), &params, ISSUER).map(drop);
        assert_eq!(refused, Err(PageError::LinkInvalid), "{uri}");
    }
}

#[test]
fn errors_after_that_go_back_with_state_and_issuer() {
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("scope", "email")], "invalid_scope"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("max_age", "1e9")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("request_uri", "http://169.254.169.254/")], "request_uri_not_supported"),
        (&[("u", "bob@contoso.com")], "invalid_request"),
        (&[("login_hint", "a\nb")], "invalid_request"),
    ];
    for (extra, error) in cases {
        let Err(Answer::Redirect(url)) = accepted(extra) else { panic!("{extra:?} is refused by redirect") };
        assert!(url.contains(&format!("error={error}&")), "{extra:?}: {url}");
        assert!(url.contains("state=a+b%26c&iss="), "{url}");
    }
}

#[test]
fn an_answer_at_another_address_or_of_another_issuer_is_a_mix_up() {
    let pending = pending(accepted(&[]).expect("accepted"), decide_guard());
    let other = IdpId("other".into());
    let good = IdpId("up".into());
    let answer = |iss: &str| Params::from_pairs(vec![("code".into(), "c".into()), ("iss".into(), iss.into())]);
    let issuer = "https://up.example.com";
    let cases = [
        (Some(&other), false, issuer),
        (None, false, issuer),
        (Some(&good), true, issuer),
        (Some(&good), false, "https://up.example.com/"),
    ];
    for (at, shared, iss) in cases {
        let expected = Expected { issuer, announces_iss: true, at, shared };
        let end = callback(&pending, &answer(iss), &expected, NOW).map(drop);
        assert_eq!(end, Err(CallbackEnd::Page(PageError::AnswerNotTrusted)), "{at:?} {iss}");
    }
    let silent = Params::from_pairs(vec![("code".into(), "c".into())]);
    let expected = Expected { issuer, announces_iss: true, at: Some(&good), shared: false };
    let end = callback(&pending, &silent, &expected, NOW).map(drop);
    assert_eq!(end, Err(CallbackEnd::Page(PageError::AnswerNotTrusted)), "iss was promised");
}

fn decide_guard() -> &'static Guard {
    use std::sync::OnceLock;
    static GUARD: OnceLock<Guard> = OnceLock::new();
    GUARD.get_or_init(|| {
        let (idps, directories) = ([idp()], directories());
        let ask = Ask {
            path: EntryPath::Get,
            received: None,
            typed: None,
            accept_hints: true,
            domain: None,
            prompt: crate::oidc::Prompt::Absent,
            idps: &idps,
            directories: &directories,
            chosen: None,
        };
        decide(&idps[0], &ask, Lookup::NotAsked).guard().clone()
    })
}

#[test]
fn a_session_answers_only_for_its_person_and_while_it_is_fresh() {
    let (session, user) = (session(), user("alice@contoso.com"));
    let live = |hint| LiveSession { session: &session, user: &user, hint, subject: "u1".into() };
    let realm = || Realm::Idp { idp: idp(), reasons: Vec::new() };
    let reused = |extra: &[(&str, &str)], hint, now| {
        let asked = accepted(extra).expect("accepted");
        matches!(next(&asked, Some(&live(hint)), realm(), now), Next::Reuse)
    };
    assert!(reused(&[], Reuse::Fits, NOW));
    assert!(!reused(&[], Reuse::OtherPerson, NOW), "a142");
    assert!(!reused(&[("prompt", "login")], Reuse::Fits, NOW));
    assert!(!reused(&[("max_age", "0")], Reuse::Fits, NOW));
    assert!(reused(&[("max_age", "60")], Reuse::Fits, NOW.plus(Span::secs(60))));
    assert!(!reused(&[("max_age", "60")], Reuse::Fits, NOW.plus(Span::secs(61))));
    assert!(!reused(&[("claims", r#"{"id_token":{"sub":{"value":"u2"}}}"#)], Reuse::Fits, NOW));
    let silent = accepted(&[("prompt", "none")]).expect("accepted");
    let Next::Refuse(error) = next(&silent, Some(&live(Reuse::OtherPerson)), realm(), NOW) else { panic!("refused") };
    assert_eq!(error.code.as_str(), "login_required", "a162");
}
