//! What tokens are got by, how they are signed and what stands in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{document, texts};
use crate::support::client::{Client, Proof, Tokens, userinfo, verify};
use crate::world::World;

checks! {
    grant_types_supported => each_grant_gives_tokens,
    subject_types_supported => each_kind_of_subject_is_given,
    id_token_signing_alg_values_supported => each_algorithm_signs_id_tokens,
    claim_types_supported => all_claims_are_plain_ones,
    claims_supported => each_claim_is_delivered_and_no_other,
}

/// Of RFC 6749, 7523, 7522, 8628, 8693 and CIBA.
const GRANTS: [&str; 9] = [
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "implicit",
    "password",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:openid:params:grant-type:ciba",
];

fn each_grant_gives_tokens(announced: &Value) {
    let announced = texts(announced);
    let world = World::with(|setup, _| {
        let grants = "[\"authorization_code\", \"refresh_token\"";
        setup.edit("clients/access.toml", grants, &format!("{grants}, \"client_credentials\""));
        setup.keys("clients/access.toml", "rule_sets = [\"TENANT_ADMIN\"]");
    });
    let client = Client::access();
    let tokens = world.sign_in_for_long(&client, &mut world.server.browser());
    let (ask, code) = world.fresh_code(&client);
    assert!(announced.iter().all(|grant| GRANTS.contains(grant)), "no check for one of {announced:?}");
    for grant in GRANTS {
        let fields = [
            ("grant_type", grant),
            ("code", code.as_str()),
            ("redirect_uri", client.redirect_uri.as_str()),
            ("code_verifier", ask.verifier.as_str()),
            ("refresh_token", tokens.refresh()),
        ];
        let answer = client.token(&world.server, &fields);
        if announced.contains(grant) {
            assert_eq!(answer.status, 200, "{grant}: {}", answer.text());
            assert!(answer.json()["access_token"].is_string());
        } else {
            assert_eq!((answer.status, answer.error().as_str()), (400, "unsupported_grant_type"), "{grant}");
        }
    }
}

fn each_kind_of_subject_is_given(announced: &Value) {
    for kind in texts(announced) {
        let world = World::with(|setup, _| {
            setup.keys("clients/access.toml", &format!("subject_type = \"{kind}\""));
            setup.keys("clients/second.toml", &format!("subject_type = \"{kind}\""));
        });
        let of = |client: Client| {
            let tokens = client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server));
            tokens.sub().to_owned()
        };
        let (one, two) = (of(Client::access()), of(Client::second()));
        match kind {
            "public" => assert_eq!(one, two),
            "pairwise" => assert_ne!(one, two),
            other => panic!("no check for {other}"),
        }
        assert_eq!(one, of(Client::access()), "{kind}: the same at the same client");
    }
}

fn each_algorithm_signs_id_tokens(announced: &Value) {
    assert!(texts(announced).contains("RS256"), "Discovery §3: it must be there");
    let world = World::with(|setup, _| {
        setup.table("vestibule.toml", "[keys]\nalgorithms = [\"RS256\", \"ES256\", \"EdDSA\"]");
        for alg in ["RS256", "ES256", "EdDSA"] {
            let id = alg.to_ascii_lowercase();
            let file = format!("name = \"{alg}\"\npublic = true\nredirect_uris = [\"https://{id}.example.com/cb\"]\n");
            setup.file(&format!("clients/{id}.toml"), &format!("{file}id_token_alg = \"{alg}\"\n"));
        }
    });
    let document = document(&world);
    let all = texts(&document["id_token_signing_alg_values_supported"]);
    assert!(texts(announced).is_subset(&all));
    for alg in all {
        let id = alg.to_ascii_lowercase();
        let client = Client::new(&id, Proof::Public, &format!("https://{id}.example.com/cb"));
        let tokens = client.sign_in(&world.server, &mut world.server.browser(), &client.ask(&world.server));
        let header = jsonwebtoken::decode_header(&tokens.id_token).expect("a JWT");
        assert_eq!(format!("{:?}", header.alg), alg);
        verify(&world.server, &tokens.id_token);
    }
}

/// A sign-in of somebody of whom everything is known, with every scope.
fn known_person() -> (World, Tokens) {
    let world = World::with(|setup, _| {
        setup.table("idps/contoso.toml", "userPrincipalName = \"upn\"");
        let attributes = "[\"userName\", \"externalId\", \"emails\", \"name.givenName\", \"name.familyName\", \
                          \"active\", \"displayName\", \"userPrincipalName\"]";
        setup.keys("directories/contoso.toml", &format!("attributes = {attributes}"));
    });
    world.idp.set(|script| {
        for (name, value) in [
            ("upn", json!("alice@contoso.onmicrosoft.com")),
            ("acr", json!("urn:example:mfa")),
            ("amr", json!(["pwd", "mfa"])),
            ("auth_time", json!(world.now().secs())),
        ] {
            script.person.insert(name.to_owned(), value);
        }
    });
    let client = Client::access();
    let ask = client.ask(&world.server).with("scope", "openid profile email user offline_access");
    let tokens = client.sign_in(&world.server, &mut world.server.browser(), &ask);
    (world, tokens)
}

fn all_claims_are_plain_ones(announced: &Value) {
    assert_eq!(announced, &json!(["normal"]));
    let (world, tokens) = known_person();
    let info = userinfo(&world.server, &tokens.access).json();
    for name in ["_claim_names", "_claim_sources"] {
        assert!(!tokens.claims.contains_key(name) && info.get(name).is_none());
    }
}

fn each_claim_is_delivered_and_no_other(announced: &Value) {
    let announced = texts(announced);
    let (world, tokens) = known_person();
    let delivered: BTreeSet<&str> = tokens.claims.keys().map(String::as_str).collect();
    assert_eq!(announced, delivered);
    let info = userinfo(&world.server, &tokens.access).json();
    for (name, value) in info.as_object().expect("an object") {
        assert_eq!(Some(value), tokens.claims.get(name), "{name} is the same in both");
    }
    for (name, value) in &tokens.claims {
        assert!(!value.is_null() && value != "", "{name} has a value");
    }
}
