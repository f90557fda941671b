//! `clients/ID.toml`.

use std::ops::Range;

use url::Url;

use crate::base::address;
use crate::base::limits::CLIENT_ID_BYTES_MAX;
use crate::config::build::jwks;
use crate::config::lints::{
    CLI02, CLI03, CLI04, CLI05, CLI06, CLI09, CLI10, CLI12, CLI13, CLI14, CLI15, CLI16, CLI19, CLI20, CLI21, CLI22,
    CLI23, Lint,
};
use crate::config::reader::{Form, Reader};
use crate::config::shape::LIVE_SECRETS_MAX;
use crate::config::view::View;
use crate::keys::client_secret::check_hash;
use crate::oidc::client::{
    AccessTokenKind, ClientCredential, ClientSecret, GrantType, RuleSet, SigningAlgorithm, SubjectType, TokenLifetimes,
};
use crate::oidc::{Client, ClientId, IdpId, Scope};
use crate::token::claims::is_reserved;

/// The client; `None` if it has no credential that can be used, which is a finding.
pub fn build(view: &View<'_>, reader: &mut Reader<'_>) -> Option<Client> {
    let id = view.some_text("client_id").unwrap_or_else(|| view.source.stem.clone());
    if id.len() > CLIENT_ID_BYTES_MAX || !id.bytes().all(|b| (0x20..=0x7e).contains(&b)) {
        reader.push(view.source.finding(&CLI12, &view.span("client_id"), "not a client_id"));
    }
    let credential = credential(view, reader);
    let grant_types = grants(view);
    rights(view, &grant_types, reader);
    uris(view, &grant_types, reader);
    frontchannel(view, reader);
    let lifetimes = tokens(&view.table("tokens"));
    refresh(view, &grant_types, lifetimes, reader);
    public(view, credential.as_ref(), &grant_types, reader);
    for entry in view.own_entries("claims").iter().filter(|entry| is_reserved(&entry.key)) {
        reader.push(view.source.finding(&CLI16, &entry.key_span, format!("`{}` is set by us", entry.key)));
    }
    Some(Client {
        stem: view.source.stem.clone(),
        id: ClientId(id),
        name: view.text("name"),
        enabled: view.flag("enabled"),
        credential: credential?,
        redirect_uris: view.texts("redirect_uris"),
        post_logout_redirect_uris: view.texts("post_logout_redirect_uris"),
        grant_types,
        scopes: view.texts("scopes").iter().filter_map(|word| Scope::parse(word)).collect(),
        idps: view.texts("idps").into_iter().map(IdpId).collect(),
        pkce_required: view.text("pkce") == "required",
        require_par: view.flag("require_par"),
        id_token_alg: algorithm(&view.text("id_token_alg")),
        access_token: if view.text("access_token") == "jwt" { AccessTokenKind::Jwt } else { AccessTokenKind::Opaque },
        subject_type: if view.text("subject_type") == "pairwise" { SubjectType::Pairwise } else { SubjectType::Public },
        initiate_login_uri: view.some_text("initiate_login_uri"),
        backchannel_logout_uri: view.some_text("backchannel_logout_uri"),
        frontchannel_logout_uri: view.some_text("frontchannel_logout_uri"),
        web_origins: view.texts("web_origins"),
        rule_sets: view.texts("rule_sets").iter().filter_map(|word| RuleSet::parse(word)).collect(),
        tokens: lifetimes,
        claims: view.map("claims"),
        accept_hints: view.table("login_hint").flag("accept"),
    })
}

fn algorithm(word: &str) -> SigningAlgorithm {
    SigningAlgorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == word).unwrap_or(SigningAlgorithm::Rs256)
}

fn grants(view: &View<'_>) -> Vec<GrantType> {
    let grant = |word: &String| match word.as_str() {
        "authorization_code" => Some(GrantType::AuthorizationCode),
        "refresh_token" => Some(GrantType::RefreshToken),
        "client_credentials" => Some(GrantType::ClientCredentials),
        _ => None,
    };
    view.texts("grant_types").iter().filter_map(grant).collect()
}

fn tokens(view: &View<'_>) -> TokenLifetimes {
    TokenLifetimes {
        access: view.duration("access"),
        refresh: view.duration("refresh"),
        refresh_idle: view.duration("refresh_idle"),
        refresh_without_offline: view.flag("refresh_without_offline"),
    }
}

fn credential(view: &View<'_>, reader: &mut Reader<'_>) -> Option<ClientCredential> {
    let given: Vec<&str> = ["client_secret", "secret_hash", "jwks", "jwks_uri", "public"]
        .into_iter()
        .filter(|key| view.has(key) && (*key != "public" || view.flag("public")))
        .filter(|key| *key != "jwks_uri" || !view.text("jwks_uri").is_empty())
        .collect();
    match given.as_slice() {
        [] => {
            reader.push(view.source.finding(&CLI05, &view.anchor(), "nothing proves who this client is"));
            None
        }
        ["client_secret"] | ["secret_hash"] | ["client_secret", "secret_hash"] => secrets(view, reader),
        ["jwks"] => jwks::read(view, reader).map(ClientCredential::Keys),
        ["jwks_uri"] => Some(ClientCredential::KeysUri(view.text("jwks_uri"))),
        ["public"] => Some(ClientCredential::Public),
        [first, .., last] => {
            reader.push(view.source.finding(&CLI04, &view.span(last), format!("beside `{first}`")));
            None
        }
        [_] => None,
    }
}

/// One secret or two, those of `client_secret` first.
fn secrets(view: &View<'_>, reader: &mut Reader<'_>) -> Option<ClientCredential> {
    let mut found = Vec::new();
    for (secret, span) in reader.secrets(view, "client_secret", Form::Line) {
        found.push((ClientSecret::Plain(secret), span));
    }
    for (hash, span) in reader.secrets(view, "secret_hash", Form::Plain) {
        match check_hash(hash.expose()) {
            Ok(()) => found.push((ClientSecret::Hash(hash), span)),
            Err(fault) => reader.push(view.source.finding(&CLI06, &span, fault.to_string())),
        }
    }
    let mut live: Vec<ClientSecret> = Vec::new();
    for (number, (secret, span)) in found.into_iter().enumerate() {
        if number >= LIVE_SECRETS_MAX {
            reader.push(view.source.finding(&CLI20, &span, "one too many"));
        } else if live.iter().any(|other| same(other, &secret)) {
            reader.push(view.source.finding(&CLI21, &span, "the same as the one before it"));
        } else {
            live.push(secret);
        }
    }
    (!live.is_empty()).then_some(ClientCredential::Secrets(live))
}

fn same(one: &ClientSecret, other: &ClientSecret) -> bool {
    match (one, other) {
        (ClientSecret::Plain(one), ClientSecret::Plain(other))
        | (ClientSecret::Hash(one), ClientSecret::Hash(other)) => one.matches(other.expose()),
        _ => false,
    }
}

fn uris(view: &View<'_>, grants: &[GrantType], reader: &mut Reader<'_>) {
    for key in ["redirect_uris", "post_logout_redirect_uris"] {
        for (uri, span) in view.items(key) {
            if let Err(fault) = address::redirect_uri(&uri) {
                reader.push(view.source.finding(&CLI02, &span, fault.to_string()));
            } else if let Some(why) = not_as_browsers_send_it(&uri) {
                reader.push(view.source.finding(&CLI02, &span, why));
            }
        }
    }
    if grants.contains(&GrantType::AuthorizationCode) && view.texts("redirect_uris").is_empty() {
        reader.push(view.source.finding(&CLI03, &view.span("redirect_uris"), "nothing for answers to be sent to"));
    }
    for (origin, span) in view.items("web_origins") {
        let fits = address::web_address(&origin).is_ok_and(|url| address::origin(&url) == origin);
        if !fits {
            let written = address::web_address(&origin).map(|url| address::origin(&url));
            reader.push(origin_finding(view, &span, written.ok()));
        }
    }
}

fn frontchannel(view: &View<'_>, reader: &mut Reader<'_>) {
    let key = "frontchannel_logout_uri";
    // What is no address at all is said already.
    let Some((uri, url)) = view.some_text(key).and_then(|uri| Some((uri.clone(), address::web_address(&uri).ok()?)))
    else {
        return;
    };
    let redirects = view.texts("redirect_uris");
    let mut own = redirects.iter().filter_map(|uri| Url::parse(uri).ok()).map(|url| address::origin(&url));
    if let Err(fault) = address::redirect_uri(&uri) {
        reader.push(view.source.finding(&CLI22, &view.span(key), fault.to_string()));
    } else if !own.any(|origin| origin == address::origin(&url)) {
        let label = format!("no redirect URI begins with {}", address::origin(&url));
        reader.push(view.source.finding(&CLI23, &view.span(key), label));
    }
}

/// Scheme and host are compared as text, and clients send them in lower case.
fn not_as_browsers_send_it(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let origin = address::origin(&url);
    (!uri.starts_with(&origin))
        .then(|| format!("write it as clients send it: {origin}…"))
        .filter(|_| !uri.starts_with(&format!("{}://{}:", url.scheme(), url.host_str().unwrap_or_default())))
}

fn origin_finding(view: &View<'_>, span: &Range<usize>, written: Option<String>) -> crate::config::finding::Finding {
    let label = written.map_or_else(|| "not an https origin".to_owned(), |origin| format!("write \"{origin}\""));
    view.source.finding(&CLI13, span, label)
}

fn refresh(view: &View<'_>, grants: &[GrantType], tokens: TokenLifetimes, reader: &mut Reader<'_>) {
    let granted = grants.contains(&GrantType::RefreshToken);
    let offline = view.texts("scopes").iter().any(|scope| scope == "offline_access");
    let mut warn =
        |lint: &'static Lint, key: &str, label: &str| reader.push(view.source.finding(lint, &view.span(key), label));
    if granted && !offline && !tokens.refresh_without_offline {
        warn(&CLI14, "grant_types", "`scopes` has no offline_access");
    }
    if offline && !granted {
        warn(&CLI14, "scopes", "`grant_types` has no refresh_token");
    }
}

fn rights(view: &View<'_>, grants: &[GrantType], reader: &mut Reader<'_>) {
    let asks = grants.contains(&GrantType::ClientCredentials) && !view.flag("public");
    if asks && view.texts("rule_sets").is_empty() {
        reader.push(view.source.finding(&CLI19, &view.span("grant_types"), "`rule_sets` names no rights"));
    }
}

fn public(view: &View<'_>, credential: Option<&ClientCredential>, grants: &[GrantType], reader: &mut Reader<'_>) {
    let public = matches!(credential, Some(ClientCredential::Public));
    let optional = view.text("pkce") == "optional";
    if public && grants.contains(&GrantType::ClientCredentials) {
        reader.push(view.source.finding(&CLI09, &view.span("grant_types"), "client_credentials of a public client"));
    }
    if public && optional {
        reader.push(view.source.finding(&CLI10, &view.span("pkce"), "this client is public"));
    } else if optional {
        reader.push(view.source.finding(&CLI15, &view.span("pkce"), "codes without a verifier are taken"));
    }
}
