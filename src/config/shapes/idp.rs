//! `idps/ID.toml`. What differs by `kind` stands in `presets/KIND.toml`.

use crate::config::shape::Key;
use crate::config::shape::Kind::{Domains, Flag, Map, OneOf, Path, Paths, Secret, SecretPem, Table, Text, Texts, Uuid};

pub static KEYS: &[Key] = &[
    Key::new("uid", Uuid, "The provider's UUID in the management API; left out: made from kind and stem.").or(""),
    Key::new("name", Text, "Shown to people who choose between providers.").required(),
    Key::new("enabled", Flag, "Whether people may sign in here.").on(),
    Key::new("kind", OneOf(&["entra", "okta", "oidc"]), "A set of defaults, all of them overridable.").required(),
    Key::new("issuer", Text, "The provider's issuer, byte for byte as its discovery document has it.").required(),
    Key::new("client_id", Text, "Our client id at the provider.").required(),
    Key::new("client_secret", Secret, "Our secret at the provider; or [client_key]."),
    Key::new("directory", Text, "The directory (stem) whose people sign in here.").required(),
    Key::new("domains", Domains, "Home-realm discovery: a hint or domain parameter with one of these leads here.")
        .or_texts(&[]),
    Key::new("scopes", Texts, "What is asked for.").or_texts(&["openid", "profile", "email"]),
    Key::new(
        "userinfo",
        OneOf(&["auto", "always", "never"]),
        "auto: asked when a wanted claim is missing (entra: never).",
    )
    .or("auto"),
    Key::new(
        "redirect",
        OneOf(&["own", "shared"]),
        "own: a redirect address for this provider alone; shared: the original's, for providers registered with it.",
    )
    .or("own"),
    Key::new(
        "id_token_algs",
        Texts,
        "Signature algorithms of ID tokens, as far as discovery announces them; never none or HS*.",
    )
    .or_texts(&["RS256", "PS256", "ES256", "EdDSA"]),
    Key::new("ca_files", Paths, "Certificates (PEM) trusted for this provider besides the system's.").or_texts(&[]),
    Key::new("logout", OneOf(&["forward", "local"]), "forward: a sign-out here goes on to this provider.")
        .or("forward"),
    Key::new("client_key", Table(CLIENT_KEY), "private_key_jwt instead of a secret."),
    Key::new("match", Table(MATCH), "Which directory user an upstream identity is."),
    Key::new(
        "user_attributes",
        Map,
        "Directory attribute = claim, for directories of type jit; added to the preset of the kind, \"\" takes one away.",
    ),
    Key::new("login_hint", Table(LOGIN_HINT), "The pass-through, explicit."),
    Key::new("freshness", Table(FRESHNESS), "What shows that prompt=login or max_age was heeded."),
    Key::new("authorize_params", Map, "Static extras of the authorization request."),
    Key::new("token_params", Map, "Static extras of the token request."),
];

static CLIENT_KEY: &[Key] = &[
    Key::new("key", SecretPem, "The private key: PKCS#8 in PEM.").required(),
    Key::new("kid", Text, "The key's id; left out: its RFC 7638 thumbprint.").or(""),
    Key::new("certificate", Path, "Its certificate (PEM), named in the assertion by x5t#S256; Entra wants it.").or(""),
    Key::new("algorithm", OneOf(&["RS256", "PS256", "ES256"]), "How assertions are signed (entra: PS256).").or("RS256"),
    Key::new("audience", OneOf(&["issuer", "token_endpoint"]), "`aud` of assertions (entra: token_endpoint).")
        .or("issuer"),
];

static MATCH: &[Key] = &[
    Key::new("claim", Text, "The claim of the ID token (entra: oid with the tenant pinned; okta, oidc: sub).")
        .or("sub"),
    Key::new("attribute", Text, "The directory's attribute that equals it; any single-valued one.").or("externalId"),
];

static LOGIN_HINT: &[Key] = &[
    Key::new("forward", OneOf(&["always", "known", "never"]), "Which hints go to the provider.").or("always"),
    Key::new("as", OneOf(&["received", "userName", "userPrincipalName", "email", "upstream"]), "In which form.")
        .or("received"),
    Key::new(
        "domain_hint",
        Text,
        "auto: Entra only, if the hint's domain is one of `domains`; never; any other text is sent as it is.",
    )
    .or("auto"),
    Key::new("mismatch", OneOf(&["reject", "allow"]), "What if the person who signed in is not the one hinted at.")
        .or("reject"),
];

static FRESHNESS: &[Key] = &[Key::new(
    "proof",
    OneOf(&["auth_time", "prompt"]),
    "prompt: if there is no auth_time, a forced prompt=login counts (entra: prompt).",
)
.or("auth_time")];

/// The keys of a preset: facts about a kind of provider, beside the defaults it sets.
pub static PRESET: &[Key] = &[
    Key::new(
        "prompt",
        OneOf(&["select_account", "select_account_without_hint", "no_select_account"]),
        "What it makes of prompt=select_account.",
    )
    .or("select_account"),
    Key::new(
        "sign_out",
        OneOf(&["id_token", "fresh_id_token", "login_hint"]),
        "What a forwarded sign-out says about whom it signs out.",
    )
    .or("id_token"),
    Key::new("domain_hint_auto", Flag, "Whether `domain_hint = \"auto\"` sends anything.").off(),
    Key::new("issuer_slash", OneOf(&["free", "never"]), "Whether its issuers may end in a slash.").or("free"),
    Key::new("claim_scopes", Map, "Claim = the scope that it needs."),
    Key::new("mutable_claims", Texts, "Claims that change hands.").or_texts(&[]),
    Key::new("tenant", Table(TENANT), "How the tenant stands in the issuer."),
    Key::new("claims", Table(CLAIMS), "Claims that nobody can be matched by."),
    Key::new("defaults", Table(KEYS), "Defaults of the provider's file."),
];

static TENANT: &[Key] = &[
    Key::new("hosts", Texts, "Hosts of issuers.").or_texts(&[]),
    Key::new("suffix", Text, "What follows the tenant's id.").or(""),
    Key::new("v1_hosts", Texts, "Hosts of issuers of an older version.").or_texts(&[]),
    Key::new("shared", Texts, "What stands in the tenant's place for everybody.").or_texts(&[]),
];

static CLAIMS: &[Key] = &[
    Key::new("per_application", Texts, "Claims that differ for every application.").or_texts(&[]),
    Key::new("writable", Texts, "Claims in which others can write anything.").or_texts(&[]),
];
