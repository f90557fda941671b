//! Clients that prove themselves by a signed assertion: C037, C070–C073, C035 with keys in the file.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule::base::Span;

use crate::support::assertion::{Signer, claims};
use crate::support::client::{Ask, Client, Proof, Tokens};
use crate::support::http::Response;
use crate::support::server::{ISSUER, REDIRECT_URI};
use crate::world::{World, assert_refused};

const KEYED: &str = r#"name = "Keyed"
JWKS
redirect_uris = ["https://rp.example.com/cb"]
scopes = ["openid", "profile"]
"#;

struct Keyed {
    world: World,
    signer: Arc<Signer>,
    client: Client,
}

impl Keyed {
    fn new() -> Self {
        let signer = Arc::new(Signer::generate("k1"));
        let file = KEYED.replace("JWKS", &signer.as_toml());
        let world = World::with(|setup| {
            setup.file("clients/keyed.toml", &file);
        });
        let client = Client::new("keyed", Proof::Assertion(Arc::clone(&signer)), REDIRECT_URI);
        Self { world, signer, client }
    }

    fn claims(&self, change: impl FnOnce(&mut Value)) -> Value {
        let mut claims = claims("keyed", ISSUER, self.world.server.now());
        change(&mut claims);
        claims
    }

    fn code(&self) -> (Ask, String) {
        let ask = self.client.ask(&self.world.server);
        let code = ask.run(&mut self.world.browser()).code();
        (ask, code)
    }

    /// Redeems a fresh code with these claims.
    fn redeem(&self, claims: &Value) -> (Response, Ask, String) {
        let (ask, code) = self.code();
        let assertion = self.signer.sign(&json!({"alg": "ES256", "kid": "k1"}), claims);
        (self.redeem_with(&ask, &code, &assertion), ask, code)
    }

    fn redeem_with(&self, ask: &Ask, code: &str, assertion: &str) -> Response {
        let nobody = Client { proof: Proof::Public, ..self.client.clone() };
        nobody.token(
            &self.world.server,
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", &ask.verifier),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", assertion),
            ],
        )
    }

    /// These claims are refused, and the code still pays for the rightful client.
    #[track_caller]
    fn refuses(&self, what: &str, change: impl FnOnce(&mut Value)) {
        let (answer, ask, code) = self.redeem(&self.claims(change));
        assert_eq!((answer.status, answer.error().as_str()), (401, "invalid_client"), "{what}: {}", answer.text());
        let rightful = self.client.redeem(&self.world.server, &ask, &code);
        assert_eq!(rightful.status, 200, "{what}: an unproven client spent the code: {}", rightful.text());
    }
}

#[test]
fn c037_an_assertion_for_our_issuer_is_accepted() {
    let keyed = Keyed::new();
    let (answer, ask, _) = keyed.redeem(&keyed.claims(|_| {}));
    Tokens::verified(&keyed.world.server, &keyed.client, Some(&ask), &answer);
}

#[test]
fn c070_an_audience_that_is_not_our_issuer_as_one_string_is_refused() {
    let keyed = Keyed::new();
    keyed.refuses("an array", |claims| claims["aud"] = json!([ISSUER]));
    keyed.refuses("an array of two", |claims| claims["aud"] = json!([ISSUER, "https://other.example.com"]));
    keyed.refuses("the token endpoint", |claims| claims["aud"] = json!(format!("{ISSUER}/token")));
    keyed.refuses("a slash more", |claims| claims["aud"] = json!(format!("{ISSUER}/")));
}

#[test]
fn c071_nbf_eight_seconds_ahead_is_accepted_and_over_a_minute_refused() {
    let keyed = Keyed::new();
    let now = keyed.world.server.now();
    let (answer, ..) = keyed.redeem(&keyed.claims(|claims| claims["nbf"] = json!(now.plus(Span::secs(8)).secs())));
    assert_eq!(answer.status, 200, "{}", answer.text());
    keyed.refuses("nbf 62 seconds ahead", |claims| {
        claims["nbf"] = json!(now.plus(Span::secs(62)).secs());
        claims["exp"] = json!(now.plus(Span::secs(120)).secs());
    });
}

#[test]
fn c072_a_bad_assertion_is_refused() {
    let keyed = Keyed::new();
    let past = keyed.world.server.now().minus(Span::minutes(5)).secs();
    keyed.refuses("expired five minutes ago", |claims| {
        claims["exp"] = json!(past);
        claims["iat"] = json!(past - 60);
    });
    keyed.refuses("no sub", |claims| {
        claims.as_object_mut().expect("claims").remove("sub");
    });
    keyed.refuses("no iss", |claims| {
        claims.as_object_mut().expect("claims").remove("iss");
    });
    keyed.refuses("no exp", |claims| {
        claims.as_object_mut().expect("claims").remove("exp");
    });
    keyed.refuses("no jti", |claims| {
        claims.as_object_mut().expect("claims").remove("jti");
    });
    keyed.refuses("another aud", |claims| claims["aud"] = json!("https://other.example.com/acs"));
    keyed.refuses("no aud", |claims| {
        claims.as_object_mut().expect("claims").remove("aud");
    });
}

#[test]
fn c073_no_assertion_or_another_clients_id_is_refused() {
    let keyed = Keyed::new();
    let (ask, code) = keyed.code();
    let nobody = Client { proof: Proof::Public, ..keyed.client.clone() };
    assert_refused(&nobody.redeem(&keyed.world.server, &ask, &code), "invalid_client");
    let assertion = keyed.signer.assertion("keyed", ISSUER, keyed.world.server.now());
    let posing = Client { id: "access".to_owned(), ..keyed.client.clone() };
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &assertion),
    ];
    let posing = Client { proof: Proof::Public, ..posing };
    let answer = posing.token(&keyed.world.server, &fields);
    assert!(matches!(answer.error().as_str(), "invalid_client" | "invalid_request"), "{}", answer.text());
    assert_eq!(keyed.client.redeem(&keyed.world.server, &ask, &code).status, 200, "the code wasn't spent");
}

#[test]
fn c035_a_key_that_changed_in_the_clients_file_is_taken_and_the_old_one_refused() {
    let keyed = Keyed::new();
    let next = Arc::new(Signer::generate("k2"));
    let in_force = || {
        let config = keyed.world.server.running().ports().config.snapshot();
        format!("{:?}", config.client("keyed").expect("there").credential).contains("k2")
    };
    let before = keyed.signer.as_toml();
    keyed.world.server.reconfigure("clients/keyed.toml", &before, &next.as_toml(), in_force);
    let (ask, code) = keyed.code();
    assert_refused(&keyed.client.redeem(&keyed.world.server, &ask, &code), "invalid_client");
    let client = Client { proof: Proof::Assertion(next), ..keyed.client.clone() };
    assert_eq!(client.redeem(&keyed.world.server, &ask, &code).status, 200);
}
