//! What holds at every endpoint of programs alike: one proof, in a form, by POST, and each assertion once.

use std::sync::Arc;

use crate::support::assertion::Signer;
use crate::support::client::{Ask, Client, Proof, Tokens, basic};
use crate::support::http::{Request, Response};
use crate::support::server::{ISSUER, REDIRECT_URI};
use crate::world::World;

const ENDPOINTS: [&str; 4] = ["/acs/token", "/acs/par", "/acs/introspect", "/acs/revoke"];
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A world, and tokens of `access` that a call which is heard would use up or end.
struct Stage {
    world: World,
    ask: Ask,
    tokens: Tokens,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        let tokens = world.sign_in_for_long(&Client::access(), &mut world.server.browser());
        Self { ask: Client::access().ask(&world.server), world, tokens }
    }

    /// What a call of this endpoint says beside the proof.
    fn fields(&self, path: &str) -> Vec<(String, String)> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        match path {
            "/acs/token" => {
                [("grant_type", "refresh_token"), ("refresh_token", self.tokens.refresh())].map(owned).into()
            }
            "/acs/par" => self.ask.params.iter().filter(|(name, _)| name != "client_id").cloned().collect(),
            _ => [("token", self.tokens.refresh())].map(owned).into(),
        }
    }

    fn form(&self, path: &str, proof: &[(&str, &str)]) -> Request {
        let mut fields = self.fields(path);
        fields.extend(proof.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Request::form(&self.world.server.url(path), &fields)
    }

    fn send(&self, request: &Request) -> Response {
        self.world.server.send(request)
    }

    /// The tokens are as good as before.
    #[track_caller]
    fn nothing_was_done(&self) {
        let told = Client::access().introspect(&self.world.server, self.tokens.refresh());
        assert_eq!(told.json()["active"], true, "{}", told.text());
    }
}

#[track_caller]
fn refused(answer: &Response, status: u16, error: &str, what: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{what}: {}", answer.text());
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")), "{what}");
    assert!(answer.header("cache-control").is_some_and(|kept| kept.contains("no-store")), "{what}");
}

#[test]
fn a082_two_proofs_at_once_are_refused_at_every_endpoint() {
    let stage = Stage::new();
    let header = basic("access", "access-secret");
    let secret = [("client_id", "access"), ("client_secret", "access-secret")];
    let assertion = [("client_assertion_type", JWT_BEARER), ("client_assertion", "e30.e30.x")];
    for path in ENDPOINTS {
        let both = [secret.as_slice(), &assertion].concat();
        for request in [
            stage.form(path, &secret).header("Authorization", &header),
            stage.form(path, &secret[1..]).header("Authorization", &header),
            stage.form(path, &assertion).header("Authorization", &header),
            stage.form(path, &both),
            stage.form(path, &[("client_id", "second")]).header("Authorization", &header),
        ] {
            refused(&stage.send(&request), 400, "invalid_request", path);
        }
    }
    stage.nothing_was_done();
}

#[test]
fn a083_at_no_endpoint_is_anything_taken_from_the_query() {
    let stage = Stage::new();
    let header = basic("access", "access-secret");
    for path in ENDPOINTS {
        let in_query = |fields: &[(String, String)]| {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            stage.world.server.url(&format!("{path}?{query}"))
        };
        let all = Request::form::<&str, &str>(&in_query(&stage.fields(path)), &[]);
        refused(&stage.send(&all.header("Authorization", &header)), 400, "invalid_request", path);
        let secret = [("client_id", "access"), ("client_secret", "access-secret")].map(|(n, v)| (n.into(), v.into()));
        let proof = Request::form(&in_query(&secret), &stage.fields(path));
        refused(&stage.send(&proof), 400, "invalid_request", path);
    }
    stage.nothing_was_done();
}

#[test]
fn a094_at_every_endpoint_only_a_form_is_read() {
    let stage = Stage::new();
    let header = basic("access", "access-secret");
    for path in ENDPOINTS {
        let form = stage.form(path, &[]).header("Authorization", &header);
        for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form", ""]
        {
            let answer = stage.send(&form.clone().instead("Content-Type", kind));
            refused(&answer, 400, "invalid_request", &format!("{path} {kind}"));
        }
        let mut bare = form.clone();
        bare.headers.retain(|(name, _)| name != "Content-Type");
        refused(&stage.send(&bare), 400, "invalid_request", path);
        let long = form.clone().body([form.body.as_slice(), b"&x=", &vec![b'x'; 64 * 1024]].concat());
        refused(&stage.send(&long), 413, "invalid_request", path);
        let twice = form.clone().body([form.body.as_slice(), b"&", &form.body].concat());
        refused(&stage.send(&twice), 400, "invalid_request", path);
    }
    stage.nothing_was_done();
    for path in ["/acs/par", "/acs/introspect", "/acs/revoke"] {
        let form = stage.form(path, &[("beyond", "all knowledge")]).header("Authorization", &header);
        let charset = form.instead("Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8");
        let answer = stage.send(&charset.header("Accept", "application/token-introspection+jwt, text/html"));
        assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.text());
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")), "{path}");
    }
}

#[test]
fn a083_every_endpoint_is_called_by_post_alone() {
    let stage = Stage::new();
    for path in ENDPOINTS {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "post"] {
            let answer = stage.send(&Request::new(method, &stage.world.server.url(path)));
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method} {path}");
            assert!(answer.header("cache-control").is_some_and(|kept| kept.contains("no-store")), "{method} {path}");
        }
    }
}

#[test]
fn a088_an_assertion_that_one_endpoint_has_heard_is_refused_at_the_others() {
    let signer = Arc::new(Signer::generate("key-1"));
    let world = World::with(|setup, _| {
        let uris = format!("redirect_uris = [\"{REDIRECT_URI}\"]");
        let grants = "grant_types = [\"authorization_code\", \"refresh_token\"]";
        setup.file("clients/keyed.toml", &format!("name = \"Keyed\"\n{}\n{uris}\n{grants}\n", signer.as_toml()));
    });
    let ask = Client::new("keyed", Proof::Assertion(Arc::clone(&signer)), REDIRECT_URI).ask(&world.server);
    let call = |path: &str, assertion: &str| {
        let mut fields: Vec<(&str, &str)> = ask.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        fields.extend([("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)]);
        fields.extend([("token", "x"), ("grant_type", "refresh_token"), ("refresh_token", "x")]);
        world.server.send(&Request::form(&world.server.url(path), &fields))
    };
    for first in ENDPOINTS {
        let assertion = signer.assertion("keyed", ISSUER, world.now());
        assert_ne!(call(first, &assertion).status, 401, "{first}");
        for then in ENDPOINTS {
            refused(&call(then, &assertion), 401, "invalid_client", &format!("{first}, then {then}"));
        }
    }
}

#[test]
fn a113_a114_what_is_revoked_twice_is_answered_alike() {
    let stage = Stage::new();
    let client = Client::access();
    for token in [&stage.tokens.access, stage.tokens.refresh(), "made-up", &stage.tokens.id_token] {
        let answers = [(); 2].map(|()| client.revoke(&stage.world.server, token));
        for answer in &answers {
            assert_eq!((answer.status, answer.text()), (200, answers[0].text()), "{token}");
        }
    }
    let fields = [("token", stage.tokens.access.as_str()), ("token_type_hint", "made_up")];
    let hinted = stage.send(&client.request(&stage.world.server, "/acs/revoke", &fields));
    assert_eq!(hinted.status, 200, "RFC 7009 §2.1: {}", hinted.text());
    let missing = stage.send(&client.request(&stage.world.server, "/acs/revoke", &[]));
    refused(&missing, 400, "invalid_request", "no token");
}
