//! What a folder turns into.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::fixture::{CLIENT, ENTRA, OKTA, WHOLE, env, folder, write};
use crate::base::Span;
use crate::config::shape::{Key, Kind, Preset};
use crate::config::*;
use crate::identity::directory::DirectoryKind;
use crate::oidc::client::{Client, ClientCredential, ClientSecret};
use crate::oidc::idp::{DomainHint, FreshnessProof, IdpCredential, PromptSupport, UserinfoPolicy};

fn loaded(files: &[(&str, &str)]) -> Arc<Snapshot> {
    let folder = folder(files);
    let loaded = load(folder.path(), &env);
    loaded.snapshot.unwrap_or_else(|| panic!("{}", render(&loaded.findings, Styled::Plain)))
}

fn has_plain(client: &Client, text: &str) -> bool {
    let ClientCredential::Secrets(live) = &client.credential else { return false };
    live.iter().any(|secret| matches!(secret, ClientSecret::Plain(secret) if secret.matches(text)))
}

#[test]
fn keys_left_out_have_the_documented_defaults() {
    let snapshot = loaded(&WHOLE);
    let server = &snapshot.server;
    assert_eq!(server.base_url.as_str(), "https://id.example.com/");
    assert_eq!(server.listen.to_string(), "127.0.0.1:8080");
    assert!(matches!(server.state, StateUrl::Embedded));
    assert_eq!(server.session.idle, Span::hours(8));
    assert_eq!(server.session.absolute, Span::days(7));
    assert_eq!(server.limits.traces, Span::days(30));
    assert_eq!(server.limits.pending_logins_per_address, 1_000);
    assert_eq!(server.keys.rotation, Span::days(90));
    assert_eq!(server.keys.algorithms.len(), 3);
    assert!(server.management_listen.is_none() && server.trusted_proxies.is_empty() && server.keys.seal.is_none());
    let DatabaseUrl::Sqlite(path) = &server.database else { panic!("not the file") };
    assert!(path.is_absolute() && path.ends_with("data/vestibule.db"), "{}", path.display());
    assert_eq!(path.parent().and_then(Path::parent), server.folder.parent());

    let client = snapshot.client("access").expect("by its stem");
    assert!(client.pkce_required && client.accept_hints && !client.require_par && client.enabled);
    assert!(matches!(&client.credential, ClientCredential::Secrets(live) if live.len() == 1));
    assert_eq!(client.tokens, crate::oidc::client::TokenLifetimes::default());
    assert_eq!(snapshot.idps_of(client).len(), 2);
}

#[test]
fn entra_and_okta_differ_by_their_presets() {
    let snapshot = loaded(&WHOLE);
    let idp = |id: &str| Arc::clone(&snapshot.idps[&IdpId(id.to_owned())]);
    let (entra, okta) = (idp("entra"), idp("okta"));
    assert_eq!(entra.matching.claim, "oid");
    assert_eq!(entra.matching.tenant.as_deref(), Some("6f0c2a9e-1d3b-4c57-9a84-2e5b7f10c3d6"));
    assert_eq!(entra.userinfo, UserinfoPolicy::Never);
    assert_eq!(entra.freshness, FreshnessProof::Prompt);
    assert_eq!(entra.prompt, PromptSupport::SelectAccountWithoutHint);
    assert_eq!(entra.hint.domain_hint, DomainHint::Auto);
    assert_eq!(entra.domains, ["contoso.com"]);
    assert_eq!(entra.user_attributes["externalId"], "oid");
    assert_eq!(entra.user_attributes["name.givenName"], "given_name");
    assert!(matches!(&entra.credential, IdpCredential::Secret(secret) if secret.expose().len() == 32));
    assert_eq!(okta.matching.claim, "sub");
    assert_eq!(okta.matching.tenant, None);
    assert_eq!(okta.userinfo, UserinfoPolicy::Auto);
    assert_eq!(okta.freshness, FreshnessProof::AuthTime);
    assert_eq!(okta.prompt, PromptSupport::NoSelectAccount);
    assert_eq!(okta.hint.domain_hint, DomainHint::Never);
    assert_eq!(okta.user_attributes["externalId"], "sub");
    assert_eq!(snapshot.directories["contoso"].kind, DirectoryKind::Jit);
}

#[test]
fn a_files_own_values_win_over_the_preset() {
    let own = format!(
        "{ENTRA}userinfo = \"always\"\n[user_attributes]\ndisplayName = \"nick\"\nemails = \"\"\n[login_hint]\ndomain_hint = \"contoso.com\"\n"
    );
    let snapshot = loaded(&[WHOLE[0], WHOLE[1], ("idps/entra.toml", &own)]);
    let entra = &snapshot.idps[&IdpId("entra".to_owned())];
    assert_eq!(entra.userinfo, UserinfoPolicy::Always);
    assert_eq!(entra.user_attributes["displayName"], "nick");
    assert!(!entra.user_attributes.contains_key("emails"));
    assert_eq!(entra.user_attributes["userName"], "preferred_username");
    assert_eq!(entra.hint.domain_hint, DomainHint::Fixed("contoso.com".to_owned()));
}

#[test]
fn a_key_from_a_file_is_taken_with_its_line_breaks_and_a_secret_without_the_last_one() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key").serialize_pem();
    let okta = OKTA.replace("client_secret = { env = \"S\" }\n", "")
        + "[client_key]\nalgorithm = \"ES256\"\nkey = { file = \"okta.key.pem\" }\n";
    let client = CLIENT.replace("{ env = \"S\" }", "{ file = \"secret.txt\" }");
    let snapshot = loaded(&[
        WHOLE[0],
        WHOLE[1],
        ("idps/okta.toml", &okta),
        ("okta.key.pem", &key),
        ("clients/access.toml", &client),
        ("secret.txt", "0123456789abcdef-from-file\r\n"),
    ]);
    let credential = &snapshot.idps[&IdpId("okta".to_owned())].credential;
    assert!(
        matches!(credential, IdpCredential::Key(own) if own.pem.expose().trim() == key.trim() && own.pem.expose().contains('\n'))
    );
    let client = snapshot.client("access").expect("the client");
    assert!(has_plain(client, "0123456789abcdef-from-file"));
}

#[test]
fn two_like_folders_have_one_version_and_a_changed_secret_another_fingerprint() {
    let (one, two) = (folder(&WHOLE), folder(&WHOLE));
    let (one, two) =
        (load(one.path(), &env), load(two.path(), &|_| Some("another-secret-of-enough-length".to_owned())));
    assert_eq!(one.version, two.version);
    assert_ne!(one.fingerprint, two.fingerprint);
}

#[test]
fn nothing_but_a_regular_file_is_opened_a248() {
    let folder = folder(&WHOLE);
    let pipe = folder.path().join("clients/pipe.toml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    // Reading the pipe would wait for ever.
    let loaded = load(folder.path(), &env);
    assert_eq!(loaded.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["CFG12"]);
}

#[test]
fn a_mounted_config_maps_links_are_followed_inside_the_folder_a248() {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in WHOLE {
        write(&folder.path().join("..2026_11_23"), path, text);
    }
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folder.path().join(name)).expect("a link");
    link("..2026_11_23", "..data");
    for name in ["vestibule.toml", "directories", "idps", "clients"] {
        link(&format!("..data/{name}"), name);
    }
    let loaded = load(folder.path(), &env);
    assert!(loaded.snapshot.is_some(), "{}", render(&loaded.findings, Styled::Plain));
}

#[test]
fn the_smallest_folder_that_is_shown_is_one_that_works() {
    let folder = folder(&crate::config::folder::SMALLEST);
    let loaded = load(folder.path(), &|_| env("S"));
    assert!(loaded.findings.is_empty(), "{}", render(&loaded.findings, Styled::Plain));
    assert_eq!(
        loaded.snapshot.map(|snapshot| snapshot.idps_of(&snapshot.clients[&ClientId("access".to_owned())]).len()),
        Some(1)
    );
}

#[test]
fn a_missing_folder_says_what_a_smallest_one_is() {
    let loaded = load(Path::new("/nonexistent/config"), &env);
    let text = render(&loaded.findings, Styled::Plain);
    assert!(loaded.snapshot.is_none());
    for word in ["vestibule demo", "vestibule check", "issuer = ", "/nonexistent/config"] {
        assert!(text.contains(word), "{text}");
    }
}

/// A value that a key of this kind takes, as TOML.
fn sample(kind: &Kind) -> String {
    match kind {
        Kind::Text | Kind::Path => "\"text\"".to_owned(),
        Kind::OneOf(words) => format!("{:?}", words[0]),
        Kind::Texts | Kind::SomeOf(_) | Kind::Paths | Kind::Domains | Kind::Networks => "[]".to_owned(),
        Kind::Flag => "true".to_owned(),
        Kind::Count(least, _) => least.to_string(),
        Kind::Duration => "\"1h\"".to_owned(),
        Kind::Address => "\"https://example.com\"".to_owned(),
        Kind::Socket => "\"127.0.0.1:1\"".to_owned(),
        Kind::Colour => "\"#000000\"".to_owned(),
        Kind::Uuid => "\"0b1f6a52-6f0e-4a43-9d59-0f4a1a0d6f11\"".to_owned(),
        Kind::Share => "5".to_owned(),
        Kind::Deactivation => "\"keep\"".to_owned(),
        Kind::Secret | Kind::LiveSecrets | Kind::SecretPem | Kind::SecretUrl => "{ env = \"S\" }".to_owned(),
        Kind::Secrets | Kind::Map | Kind::Jwks => "{}".to_owned(),
        Kind::Table(keys) => {
            let inner: Vec<String> = keys.iter().map(|key| format!("{} = {}", key.name, sample(&key.kind))).collect();
            format!("{{ {} }}", inner.join(", "))
        }
    }
}

fn assert_same_keys(keys: &'static [Key], schema: &Json) {
    let properties = schema["properties"].as_object().expect("properties");
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    assert_eq!(properties.len(), names.len());
    assert_eq!(schema["additionalProperties"], Json::Bool(false));
    for key in keys {
        let property = &properties[key.name];
        assert!(property["description"].as_str().is_some_and(|text| !text.is_empty()), "{}", key.name);
        assert_eq!(matches!(key.default, Preset::None), property.get("default").is_none(), "{}", key.name);
        if let Kind::Table(inner) = key.kind {
            assert_same_keys(inner, property);
        }
    }
}

#[test]
fn the_reader_takes_exactly_the_keys_of_the_schema() {
    for kind in SchemaKind::ALL {
        assert_same_keys(kind.keys(), &schema(kind));
        assert_eq!(SchemaKind::parse(kind.as_str()), Some(kind));
        let text: String = kind.keys().iter().map(|key| format!("{} = {}\n", key.name, sample(&key.kind))).collect();
        let source = source::Source::preset(&text);
        let (table, errors) = tree::parse(&text);
        assert_eq!(errors, []);
        let findings = walk::check(&source, &table, kind.keys());
        assert!(findings.is_empty(), "{}", render(&findings, Styled::Plain));
    }
}

#[test]
fn every_default_is_a_value_that_its_key_takes() {
    fn check(keys: &'static [Key]) {
        for key in keys {
            let written = match key.default {
                Preset::None => continue,
                Preset::Text(text) => format!("{} = {text:?}\n", key.name),
                Preset::Flag(flag) => format!("{} = {flag}\n", key.name),
                Preset::Count(count) => format!("{} = {count}\n", key.name),
                Preset::Texts(texts) => format!("{} = {texts:?}\n", key.name),
            };
            let (table, _) = tree::parse(&written);
            let findings = walk::check(&source::Source::preset(&written), &table, keys);
            let wrong: Vec<&Finding> = findings.iter().filter(|finding| finding.code != "CFG05").collect();
            assert!(wrong.is_empty(), "{written}: {wrong:?}");
        }
        for key in keys {
            if let Kind::Table(inner) = key.kind {
                check(inner);
            }
        }
    }
    SchemaKind::ALL.map(SchemaKind::keys).into_iter().for_each(check);
}

#[test]
fn a_secret_is_blanked_in_every_excerpt_however_the_line_is_wrong() {
    let lines = [
        "client_secret = \"hunter2-hunter2\"",
        "client_secret = \"hunter2-hunter2",
        "client_secret = hunter2",
        "client_secret = ['hunter2']",
        "client_secret = { value = \"hunter2\" }",
        "client_secret = { env = \"S\", \"hunter2\" }",
        "client_secret = \"\"\"\nhunter2\n\\q hunter2\n\"\"\"",
        "cleint_secrt = \"hunter2\"",
        "kennwort = \"hunter2\"",
        "name = 1, client_secret = \"hunter2\"",
        "jwks_uri = \"https://me:hunter2@example.com/jwks\"",
        "client_secret = 'hunter2' scopes = 1",
        "jwks = { keys = [{ kty = \"oct\", k = \"hunter2\" }] }",
        "[client_secret]\nenv = \"hunter2 hunter2\"",
        "secret_hash = \"hunter2\"",
    ];
    for line in lines {
        let text = format!("redirect_uris = [\"https://rp.example.com/cb\"]\n{line}\n");
        let folder = folder(&[WHOLE[0], ("clients/access.toml", &text)]);
        let loaded = load(folder.path(), &env);
        let shown = render(&loaded.findings, Styled::Plain);
        assert!(!loaded.findings.is_empty());
        assert!(!shown.contains("hunter2"), "{line}\n{shown}");
        assert!(!loaded.findings.iter().any(|finding| finding.to_json().to_string().contains("hunter2")), "{line}");
    }
}

fn mutated(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    (0..text.len(), 0..8_usize, prop::collection::vec(any::<u8>(), 0..8)).prop_map(move |(at, cut, new)| {
        let mut bytes = text.as_bytes().to_vec();
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, new);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_in_any_file_make_reading_panic(which in 0..5_usize, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = folder(&WHOLE);
        write(folder.path(), WHOLE[which].0, bytes);
        prop_assert!(!render(&load(folder.path(), &env).findings, Styled::Colours).is_empty());
    }

    #[test]
    fn no_text_in_any_file_makes_reading_panic(which in 0..5_usize, text in "([a-z_]{1,12} ?= ?[\"'\\[{]?[ -~äß\u{2028}]{0,12}[\"'\\]}]?\n|\\[[a-z_.]{0,10}\\]\n){0,8}") {
        let folder = folder(&WHOLE);
        write(folder.path(), WHOLE[which].0, text);
        prop_assert!(!render(&load(folder.path(), &env).findings, Styled::Plain).is_empty());
    }

    #[test]
    fn a_valid_file_with_a_wound_is_read_or_refused_but_never_panics(
        (which, bytes) in (0..5_usize).prop_flat_map(|which| (Just(which), mutated(WHOLE[which].1)))
    ) {
        let folder = folder(&WHOLE);
        write(folder.path(), WHOLE[which].0, bytes);
        let loaded = load(folder.path(), &env);
        prop_assert_eq!(loaded.snapshot.is_none(), loaded.findings.iter().any(Finding::is_error));
        prop_assert!(!render(&loaded.findings, Styled::Plain).is_empty());
    }

    #[test]
    fn no_wound_of_a_file_brings_its_secrets_to_light(
        wounds in prop::collection::vec((0..400_usize, prop::sample::select(WOUNDS.to_vec())), 1..6)
    ) {
        let mut text = OPEN_SECRETS.to_owned();
        for (at, wound) in wounds {
            let at = at % text.len();
            text.insert_str(at, wound);
        }
        let folder = folder(&[WHOLE[0], WHOLE[1], ("services/access.toml", &text)]);
        let loaded = load(folder.path(), &env);
        let shown = render(&loaded.findings, Styled::Plain);
        prop_assert!(!shown.contains("hunter2"), "{}\n{}", text, shown);
    }
}

/// What a slip of the hand does to a line; none of it makes a name of a secret.
const WOUNDS: [&str; 13] = ["\"", "'", "\n", "\r", "{", "}", "]", "#", ",", " ", "\\", "x", "\"\"\""];

const OPEN_SECRETS: &str = r#"name = "Access"
driver = "access"
url = "https://api:hunter2@tenant.example.com/scim"
directory = "contoso"

[auth]
kind = "basic"
user = "api"
password = "hunter2"
token = '''
hunter2
hunter2'''
client_secret = 'hunter2'
headers = { "aw-tenant-code" = "hunter2", other = { env = "S" } }
"#;
