//! `clients/ID.toml`.

use crate::config::shape::Key;
use crate::config::shape::Kind::{
    Address, Duration, Flag, Jwks, LiveSecrets, Map, OneOf, SomeOf, Table, Text, Texts, Uuid,
};

pub static KEYS: &[Key] = &[
    Key::new("uid", Uuid, "The client's UUID in the management API; left out: made from kind and stem.").or(""),
    Key::new("name", Text, "Shown to people.").required(),
    Key::new("enabled", Flag, "Whether it may be used.").on(),
    Key::new("client_id", Text, "Any text of RFC 6749 VSCHAR, up to 256; left out: the file's stem.").or(""),
    Key::new(
        "client_secret",
        LiveSecrets,
        "Its secret, or a list of two while the one takes the other's place; or secret_hash, jwks, jwks_uri or public.",
    ),
    Key::new(
        "secret_hash",
        LiveSecrets,
        "An Argon2id hash of its secret, in PHC format, or a list of two; one may stand beside one client_secret.",
    ),
    Key::new("jwks", Jwks, "Its public keys for private_key_jwt: { keys = [ … ] } or { file = \"client.jwks.json\" }."),
    Key::new("jwks_uri", Address, "Where its public keys are.").or(""),
    Key::new("public", Flag, "A program that can't keep a secret; PKCE protects it.").off(),
    Key::new("redirect_uris", Texts, "Where answers may go; compared exactly.").or_texts(&[]),
    Key::new("post_logout_redirect_uris", Texts, "Where a sign-out may end; compared exactly.").or_texts(&[]),
    Key::new(
        "grant_types",
        SomeOf(&["authorization_code", "refresh_token", "client_credentials"]),
        "What it may exchange for tokens.",
    )
    .or_texts(&["authorization_code"]),
    Key::new("scopes", SomeOf(&["openid", "profile", "email", "user", "offline_access"]), "What it may ask for.")
        .or_texts(&["openid", "profile", "email"]),
    Key::new("idps", Texts, "Identity providers (stems) that its people may come from; empty: all.").or_texts(&[]),
    Key::new("pkce", OneOf(&["required", "optional"]), "optional: for confidential clients only.").or("required"),
    Key::new("require_par", Flag, "Only pushed authorization requests (RFC 9126) are taken.").off(),
    Key::new("id_token_alg", OneOf(&["RS256", "ES256", "EdDSA"]), "How its ID tokens are signed.").or("RS256"),
    Key::new("access_token", OneOf(&["opaque", "jwt"]), "jwt: RFC 9068.").or("opaque"),
    Key::new("subject_type", OneOf(&["public", "pairwise"]), "pairwise: `sub` is another for each client.")
        .or("public"),
    Key::new("initiate_login_uri", Address, "Where a login begun by a third party goes.").or(""),
    Key::new("backchannel_logout_uri", Address, "Told by us when a session ends.").or(""),
    Key::new("frontchannel_logout_uri", Address, "Loaded by the browser when a session ends.").or(""),
    Key::new("web_origins", Texts, "Origins that may read answers by CORS, for public clients in browsers.")
        .or_texts(&[]),
    Key::new(
        "rule_sets",
        SomeOf(&["TENANT_ADMIN", "IDP_AND_DIRECTORY_ADMIN", "READ_ONLY_TENANT_ADMIN"]),
        "What it may do in the management API.",
    )
    .or_texts(&[]),
    Key::new("tokens", Table(TOKENS), "Lifetimes."),
    Key::new("claims", Map, "Extra claims: claim = directory attribute."),
    Key::new("login_hint", Table(LOGIN_HINT), "What becomes of its hints."),
];

static TOKENS: &[Key] = &[
    Key::new("access", Duration, "Life of an access token.").or("10m"),
    Key::new("refresh", Duration, "Life of a refresh family in all.").or("90d"),
    Key::new("refresh_idle", Duration, "A refresh family that isn't used ends after this.").or("4d"),
    Key::new("refresh_without_offline", Flag, "Refresh tokens without offline_access too, ending with their session.")
        .off(),
];

static LOGIN_HINT: &[Key] = &[Key::new("accept", Flag, "Whether this client's hints are used at all.").on()];
