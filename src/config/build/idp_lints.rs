//! What can be wrong with an identity provider's file beyond its values one by one.

use url::{Host, Url};

use crate::base::address;
use crate::config::lints::{CFG16, IDP03, IDP04, IDP05, IDP06, IDP08, IDP09, IDP10, IDP11, IDP17, IDP18, IDP22};
use crate::config::preset::{KindPreset, TenantIssuer};
use crate::config::reader::Reader;
use crate::config::tree::Value;
use crate::config::view::View;

/// Parameters of the authorization request that are set for each login.
const RESERVED: [&str; 16] = [
    "state",
    "nonce",
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "login_hint",
    "request",
    "request_uri",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "id_token_hint",
];

/// The response modes that our redirect URIs understand.
const ANSWERED_BY: [&str; 2] = ["query", "form_post"];

/// Parameters of the token request that are set for each login.
const RESERVED_AT_TOKEN: [&str; 9] = [
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "code_verifier",
    "refresh_token",
];

/// Algorithms of ID tokens that we verify.
const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

/// Checks the issuer; gives the tenant that it names, for kinds whose issuer does.
pub fn issuer(view: &View<'_>, preset: &KindPreset, reader: &mut Reader<'_>) -> Option<String> {
    let issuer = view.some_text("issuer")?;
    let span = view.span("issuer");
    let url = match address::web_address(&issuer) {
        Ok(url) => url,
        Err(fault) => {
            reader.push(view.source.finding(&IDP09, &span, fault.to_string()));
            return None;
        }
    };
    if url.query().is_some() || url.fragment().is_some() {
        reader.push(view.source.finding(&IDP09, &span, "has a query or fragment"));
        return None;
    }
    if preset.refuses_issuer_slash && issuer.ends_with('/') {
        reader.push(view.source.finding(&IDP08, &span, format!("write \"{}\"", issuer.trim_end_matches('/'))));
    }
    let form = preset.tenant.as_ref()?;
    match tenant(&url, &issuer, form) {
        Ok(Some(tenant)) => Some(tenant),
        Ok(None) => {
            reader.push(view.source.finding(&IDP22, &span, "`tid` is not checked"));
            None
        }
        Err(why) => {
            reader.push(view.source.finding(&IDP03, &span, why));
            None
        }
    }
}

/// The tenant's GUID; none in the issuer of a stand-in on this machine that has none.
fn tenant(url: &Url, issuer: &str, form: &TenantIssuer) -> Result<Option<String>, String> {
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        _ => String::new(),
    };
    let first = url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default().to_owned();
    if form.v1_hosts.contains(&host) {
        let newest = form.hosts.first().map_or("", String::as_str);
        return Err(format!(
            "this is the issuer of version 1.0; version 2.0 has https://{newest}/{first}{}",
            form.suffix
        ));
    }
    let is_known =
        |known: &String| if known.starts_with('.') { host.ends_with(known.as_str()) } else { host == *known };
    if !address::is_loopback(url) && !form.hosts.iter().any(is_known) {
        return Err("not a host of Entra".to_owned());
    }
    if form.shared.contains(&first) {
        return Err(format!("`{first}` is everybody's: any tenant could sign in; use the tenant's GUID"));
    }
    let is_guid = first.len() == 36 && uuid::Uuid::try_parse(&first).is_ok();
    if !is_guid && address::is_loopback(url) {
        return Ok(None);
    }
    if !is_guid {
        return Err("a domain may change its owner, and tokens name the tenant by its GUID: use that".to_owned());
    }
    if !issuer.ends_with(&format!("/{first}{}", form.suffix)) {
        return Err(format!("the issuer ends in /{first}{}", form.suffix));
    }
    Ok(Some(first.to_lowercase()))
}

/// The claim by which people are matched.
pub fn matched_claim(view: &View<'_>, preset: &KindPreset, reader: &mut Reader<'_>) {
    let table = view.table("match");
    let claim = table.text("claim");
    let span = table.span("claim");
    let better = find_default_claim(preset);
    if preset.per_application.contains(&claim) {
        reader.push(view.source.finding(&IDP04, &span, format!("use \"{better}\"")));
    } else if preset.writable.contains(&claim) {
        reader.push(view.source.finding(&IDP06, &span, format!("use \"{better}\"")));
    } else if preset.mutable_claims.contains(&claim) {
        reader.push(view.source.finding(&IDP05, &span, format!("better \"{better}\"")));
    }
    let scopes = view.texts("scopes");
    if let Some(scope) = preset.claim_scopes.get(&claim).filter(|scope| !scopes.contains(scope)) {
        let finding = view.source.finding(&IDP18, &view.span("scopes"), format!("`{claim}` needs the scope {scope}"));
        reader.push(finding);
    }
}

fn find_default_claim(preset: &KindPreset) -> String {
    let own = match preset.defaults.get("match").map(|entry| &entry.node.value) {
        Some(Value::Table(table)) => table.get("claim").and_then(|entry| crate::config::view::as_text(&entry.node)),
        _ => None,
    };
    own.unwrap_or("sub").to_owned()
}

pub fn scopes(view: &View<'_>, reader: &mut Reader<'_>) {
    let items = view.items("scopes");
    if !items.iter().any(|(scope, _)| scope == "openid") {
        reader.push(view.source.finding(&IDP17, &view.span("scopes"), "`openid` is missing"));
    }
    for (scope, span) in &items {
        // RFC 6749 §3.3
        let fits = !scope.is_empty() && scope.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if !fits {
            reader.push(view.source.finding(
                &crate::config::lints::CFG04,
                span,
                "not a scope: one word without blanks and quotes",
            ));
        }
    }
}

pub fn algorithms(view: &View<'_>, reader: &mut Reader<'_>) {
    let items = view.items("id_token_algs");
    for (algorithm, span) in &items {
        let upper = algorithm.to_uppercase();
        if upper == "NONE" || upper.starts_with("HS") {
            reader.push(view.source.finding(&IDP11, span, "never accepted"));
        } else if !ALGORITHMS.contains(&algorithm.as_str()) {
            let finding =
                view.source.finding(&crate::config::lints::CFG04, span, format!("one of {}", ALGORITHMS.join(", ")));
            reader.push(finding);
        }
    }
    if items.is_empty() {
        reader.push(view.source.finding(&IDP11, &view.span("id_token_algs"), "an empty list accepts nothing"));
    }
}

/// A159: parameters that protect a login can't be set to fixed values.
pub fn params(view: &View<'_>, reader: &mut Reader<'_>) {
    for (table, reserved) in [("authorize_params", &RESERVED[..]), ("token_params", &RESERVED_AT_TOKEN[..])] {
        for entry in view.own_entries(table) {
            let name = entry.key.trim().to_lowercase();
            if reserved.contains(&name.as_str()) {
                reader.push(view.source.finding(&IDP10, &entry.key_span, format!("`{name}` is set for each login")));
            }
            let unanswerable = matches!(&entry.node.value, Value::Text(mode) if !ANSWERED_BY.contains(&mode.as_str()));
            if name == "response_mode" && unanswerable {
                let says = format!("the redirect URI takes {} only", ANSWERED_BY.join(" and "));
                reader.push(view.source.finding(&IDP10, &entry.node.span, says));
            }
        }
    }
}

pub fn addresses(view: &View<'_>, reader: &mut Reader<'_>) {
    if view.has("issuer") && view.text("issuer").is_empty() {
        reader.push(view.source.finding(&CFG16, &view.span("issuer"), "empty"));
    }
}
