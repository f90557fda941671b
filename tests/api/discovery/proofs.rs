//! Each way to prove who a client is works at each endpoint that announces it, and no other does.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vestibule::base::Span;

use super::{DOCUMENT, path, texts};
use crate::support::assertion::claims;
use crate::support::client::{Client, Proof, userinfo};
use crate::support::http::{Request, Response};
use crate::support::keyring::Keyring;
use crate::support::server::{ISSUER, Setup};
use crate::world::World;

checks! {
    token_endpoint_auth_methods_supported => each_method_redeems_a_code_and_pushes_a_request,
    token_endpoint_auth_signing_alg_values_supported => each_algorithm_gets_a_token_and_pushes_a_request,
    revocation_endpoint_auth_methods_supported => each_method_revokes,
    revocation_endpoint_auth_signing_alg_values_supported => each_algorithm_revokes,
    introspection_endpoint_auth_methods_supported => each_method_is_told_of_its_token,
    introspection_endpoint_auth_signing_alg_values_supported => each_algorithm_is_told_of_its_token,
}

/// Of RFC 7591 §2, OIDC Core §9 and RFC 8705 §2.
const METHODS: [&str; 7] = [
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
];
const ALGORITHMS: [&str; 7] = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519", "HS256", "none"];
const SECRET: &str = "a-secret-of-thirty-two-characters";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A world with one client for each way, and the keys of the one that has any.
struct Stage {
    world: World,
    keys: Keyring,
}

impl Stage {
    fn new() -> Self {
        let keys = Keyring::generate();
        let add = |setup: &mut Setup, id: &str, credential: &str, grants: &str| {
            let file = format!(
                "name = \"{id}\"\n{credential}\nredirect_uris = [\"https://{id}.example.com/cb\"]\n\
                 grant_types = [\"authorization_code\"{grants}]\n"
            );
            setup.file(&format!("clients/{id}.toml"), &file);
        };
        let world = World::with(|setup, _| {
            setup.env.insert("STAGE_SECRET".to_owned(), SECRET.to_owned());
            setup.file("client.jwks.json", &keys.jwks().to_string());
            add(setup, "secret", "client_secret = { env = \"STAGE_SECRET\" }", "");
            let jwks = "jwks = { file = \"client.jwks.json\" }\nrule_sets = [\"TENANT_ADMIN\"]";
            add(setup, "keyed", jwks, ", \"client_credentials\"");
            add(setup, "open", "public = true", "");
        });
        Self { world, keys }
    }

    /// The client that uses this method.
    fn client(method: &str) -> &'static str {
        match method {
            "none" => "open",
            "private_key_jwt" => "keyed",
            _ => "secret",
        }
    }

    /// A call with this proof.
    fn call(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let id = Self::client(method);
        let by = |proof: Proof| {
            self.world.server.send(&Client::new(id, proof, "").request(&self.world.server, path, fields))
        };
        match method {
            // TLS is ended before us in these tests: such a client could only say its name.
            "none" | "tls_client_auth" | "self_signed_tls_client_auth" => by(Proof::Public),
            "client_secret_basic" => by(Proof::Basic(SECRET.to_owned())),
            "client_secret_post" => by(Proof::Post(SECRET.to_owned())),
            "client_secret_jwt" => self.asserted(id, "HS256", path, fields),
            "private_key_jwt" => self.asserted(id, "ES256", path, fields),
            other => panic!("no check for {other}"),
        }
    }

    fn asserted(&self, id: &str, alg: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let assertion = self.keys.sign(alg, SECRET, &claims(id, ISSUER, self.world.now()));
        let proof = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())];
        self.world.server.send(&Request::form(&self.world.server.url(path), &[fields, &proof].concat()))
    }

    /// An access token of the client that uses this method, not by way of it.
    fn token(&self, method: &str) -> String {
        let method = match method {
            "none" | "private_key_jwt" => method,
            _ => "client_secret_basic",
        };
        let answer = self.redeem(method);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().expect("an access token").to_owned()
    }

    fn redeem(&self, method: &str) -> Response {
        let id = Self::client(method);
        let uri = format!("https://{id}.example.com/cb");
        let (ask, code) = self.world.fresh_code(&Client::new(id, Proof::Public, &uri));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", uri.as_str()),
            ("code_verifier", ask.verifier.as_str()),
        ];
        self.call(method, path(&DOCUMENT["token_endpoint"]), &fields)
    }

    fn push(&self, method: &str) -> Response {
        let id = Self::client(method);
        let ask = Client::new(id, Proof::Public, &format!("https://{id}.example.com/cb")).ask(&self.world.server);
        let fields: Vec<(&str, &str)> = ask.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let fields: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "client_id").collect();
        self.call(method, path(&DOCUMENT["pushed_authorization_request_endpoint"]), &fields)
    }
}

/// The lists of methods and algorithms are complete: each announced one is one that is tried here.
#[track_caller]
fn known<'a>(announced: &'a Value, all: &[&str]) -> BTreeSet<&'a str> {
    let announced = texts(announced);
    assert!(announced.iter().all(|one| all.contains(one)), "no check for one of {announced:?}");
    announced
}

#[track_caller]
fn unproven(answer: &Response, how: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{how}: {}", answer.text());
}

fn each_method_redeems_a_code_and_pushes_a_request(announced: &Value) {
    let announced = known(announced, &METHODS);
    let stage = Stage::new();
    for method in METHODS {
        if announced.contains(method) {
            let answer = stage.redeem(method);
            assert_eq!(answer.status, 200, "{method}: {}", answer.text());
        } else {
            unproven(&stage.redeem(method), method);
        }
    }
    for method in METHODS {
        // RFC 9126 §2: the methods of the token endpoint.
        if announced.contains(method) {
            let answer = stage.push(method);
            assert_eq!(answer.status, 201, "{method}: {}", answer.text());
        } else {
            unproven(&stage.push(method), method);
        }
    }
}

fn each_method_revokes(announced: &Value) {
    let announced = known(announced, &METHODS);
    let (stage, endpoint) = (Stage::new(), path(&DOCUMENT["revocation_endpoint"]));
    for method in METHODS {
        let token = stage.token(method);
        let answer = stage.call(method, endpoint, &[("token", &token)]);
        let lives = userinfo(&stage.world.server, &token).status == 200;
        if announced.contains(method) {
            assert_eq!((answer.status, lives), (200, false), "{method}: {}", answer.text());
        } else {
            unproven(&answer, method);
            assert!(lives, "{method}");
        }
    }
}

fn each_method_is_told_of_its_token(announced: &Value) {
    let announced = known(announced, &METHODS);
    let (stage, endpoint) = (Stage::new(), path(&DOCUMENT["introspection_endpoint"]));
    for method in METHODS {
        let token = stage.token(method);
        let answer = stage.call(method, endpoint, &[("token", &token)]);
        if announced.contains(method) {
            assert_eq!((answer.status, &answer.json()["active"]), (200, &json!(true)), "{method}");
        } else {
            unproven(&answer, method);
        }
    }
}

/// A token of `keyed` in its own name, by an assertion of this algorithm.
fn program(stage: &Stage, alg: &str) -> Response {
    let fields = [("grant_type", "client_credentials")];
    stage.asserted("keyed", alg, path(&DOCUMENT["token_endpoint"]), &fields)
}

fn each_algorithm_gets_a_token_and_pushes_a_request(announced: &Value) {
    let announced = known(announced, &ALGORITHMS);
    let stage = Stage::new();
    let push = |alg: &str| {
        let ask = Client::new("keyed", Proof::Public, "https://keyed.example.com/cb").ask(&stage.world.server);
        let fields: Vec<(&str, &str)> = ask.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        stage.asserted("keyed", alg, path(&DOCUMENT["pushed_authorization_request_endpoint"]), &fields)
    };
    for alg in ALGORITHMS {
        if announced.contains(alg) {
            let answer = program(&stage, alg);
            assert_eq!(answer.status, 200, "{alg}: {}", answer.text());
        } else {
            unproven(&program(&stage, alg), alg);
            unproven(&push(alg), alg);
        }
    }
    for alg in announced {
        let answer = push(alg);
        assert_eq!(answer.status, 201, "{alg}: {}", answer.text());
    }
}

fn each_algorithm_revokes(announced: &Value) {
    let announced = known(announced, &ALGORITHMS);
    let (stage, endpoint) = (Stage::new(), path(&DOCUMENT["revocation_endpoint"]));
    for alg in ALGORITHMS {
        let token = stage.token("private_key_jwt");
        let answer = stage.asserted("keyed", alg, endpoint, &[("token", &token)]);
        let lives = userinfo(&stage.world.server, &token).status == 200;
        if announced.contains(alg) {
            assert_eq!((answer.status, lives), (200, false), "{alg}: {}", answer.text());
        } else {
            unproven(&answer, alg);
            assert!(lives, "{alg}");
        }
        stage.world.advance(Span::secs(1));
    }
}

fn each_algorithm_is_told_of_its_token(announced: &Value) {
    let announced = known(announced, &ALGORITHMS);
    let (stage, endpoint) = (Stage::new(), path(&DOCUMENT["introspection_endpoint"]));
    let token = stage.token("private_key_jwt");
    for alg in ALGORITHMS {
        let answer = stage.asserted("keyed", alg, endpoint, &[("token", &token)]);
        if announced.contains(alg) {
            assert_eq!((answer.status, &answer.json()["active"]), (200, &json!(true)), "{alg}");
        } else {
            unproven(&answer, alg);
        }
    }
}
