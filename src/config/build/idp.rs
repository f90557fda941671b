//! `idps/ID.toml`.

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;

use crate::base::Secret;
use crate::base::text::fold;
use crate::config::build::idp_lints;
use crate::config::lints::{CFG17, IDP14, IDP15, IDP16};
use crate::config::preset::KindPreset;
use crate::config::reader::{Form, Reader};
use crate::config::view::View;
use crate::oidc::idp::{
    AssertionAudience, ClientKey, ClientKeyAlgorithm, DomainHint, Forward, FreshnessProof, HintForm, HintPolicy, Idp,
    IdpCredential, IdpId, Matching, Mismatch, UserinfoPolicy,
};

/// The provider; `None` if it has no credential, which is a finding.
pub fn build(view: &View<'_>, preset: &KindPreset, reader: &mut Reader<'_>) -> Option<Idp> {
    idp_lints::addresses(view, reader);
    let tenant = idp_lints::issuer(view, preset, reader);
    idp_lints::matched_claim(view, preset, reader);
    idp_lints::scopes(view, reader);
    idp_lints::algorithms(view, reader);
    idp_lints::params(view, reader);
    let credential = credential(view, reader);
    let ca_files = reader.certificates(view, "ca_files");
    let matching = view.table("match");
    let matching = Matching { claim: matching.text("claim"), attribute: matching.text("attribute"), tenant };
    Some(Idp {
        id: IdpId(view.source.stem.clone()),
        name: view.text("name"),
        enabled: view.flag("enabled"),
        issuer: view.text("issuer"),
        client_id: view.text("client_id"),
        credential: credential?,
        directory: view.text("directory"),
        domains: view.texts("domains").iter().map(|domain| fold(domain)).collect(),
        scopes: view.texts("scopes"),
        userinfo: match view.text("userinfo").as_str() {
            "always" => UserinfoPolicy::Always,
            "never" => UserinfoPolicy::Never,
            _ => UserinfoPolicy::Auto,
        },
        shared_redirect: view.text("redirect") == "shared",
        id_token_algs: view.texts("id_token_algs"),
        ca_files,
        forward_logout: view.text("logout") == "forward",
        user_attributes: user_attributes(view, &matching),
        matching,
        hint: hint(&view.table("login_hint"), preset),
        freshness: match view.table("freshness").text("proof").as_str() {
            "prompt" => FreshnessProof::Prompt,
            _ => FreshnessProof::AuthTime,
        },
        prompt: preset.prompt,
        sign_out: preset.sign_out,
        authorize_params: view.map("authorize_params"),
        token_params: view.map("token_params"),
    })
}

/// The map of the file over that of the preset; the attribute that people are matched by comes
/// from the matched claim unless the file says otherwise.
fn user_attributes(view: &View<'_>, matching: &Matching) -> std::collections::BTreeMap<String, String> {
    let own = view.own_entries("user_attributes");
    let mut map = view.map("user_attributes");
    if !own.iter().any(|entry| entry.key == matching.attribute) {
        map.insert(matching.attribute.clone(), matching.claim.clone());
    }
    map.retain(|_, claim| !claim.is_empty());
    map
}

fn hint(view: &View<'_>, preset: &KindPreset) -> HintPolicy {
    HintPolicy {
        forward: match view.text("forward").as_str() {
            "known" => Forward::Known,
            "never" => Forward::Never,
            _ => Forward::Always,
        },
        as_: match view.text("as").as_str() {
            "userName" => HintForm::UserName,
            "userPrincipalName" => HintForm::UserPrincipalName,
            "email" => HintForm::Email,
            "upstream" => HintForm::Upstream,
            _ => HintForm::Received,
        },
        domain_hint: match view.text("domain_hint").as_str() {
            "auto" if preset.domain_hint_auto => DomainHint::Auto,
            "auto" | "never" | "" => DomainHint::Never,
            text => DomainHint::Fixed(text.to_owned()),
        },
        mismatch: if view.text("mismatch") == "allow" { Mismatch::Allow } else { Mismatch::Reject },
    }
}

fn credential(view: &View<'_>, reader: &mut Reader<'_>) -> Option<IdpCredential> {
    let key = view.table("client_key");
    match (view.has("client_secret"), key.is_present()) {
        (true, true) => {
            reader.push(view.source.finding(&IDP14, &key.anchor(), "beside `client_secret`"));
            None
        }
        (false, false) => {
            reader.push(view.source.finding(&IDP15, &view.anchor(), "neither `client_secret` nor [client_key]"));
            None
        }
        (true, false) => reader.secret(view, "client_secret", Form::Line).map(IdpCredential::Secret),
        (false, true) => client_key(&key, reader).map(IdpCredential::Key),
    }
}

fn client_key(view: &View<'_>, reader: &mut Reader<'_>) -> Option<ClientKey> {
    let pem = reader.secret(view, "key", Form::Lines);
    let algorithm = match view.text("algorithm").as_str() {
        "PS256" => ClientKeyAlgorithm::Ps256,
        "ES256" => ClientKeyAlgorithm::Es256,
        _ => ClientKeyAlgorithm::Rs256,
    };
    if let Some(pem) = &pem
        && let Err(why) = check_key(pem, algorithm)
    {
        reader.push(view.source.finding(&IDP16, &view.span("key"), why));
    }
    let certificate = view.some_text("certificate").and_then(|path| {
        let text = reader.file(view.source, &path, &view.span("certificate"), &CFG17)?;
        if !text.contains("-----BEGIN CERTIFICATE-----") {
            reader.push(view.source.finding(&CFG17, &view.span("certificate"), "no certificate in PEM in it"));
        }
        Some(text)
    });
    Some(ClientKey {
        pem: pem?,
        kid: view.some_text("kid"),
        certificate,
        algorithm,
        audience: if view.text("audience") == "token_endpoint" {
            AssertionAudience::TokenEndpoint
        } else {
            AssertionAudience::Issuer
        },
    })
}

/// # Errors
/// Says what is wrong with the key, and shows nothing of it.
fn check_key(pem: &Secret, algorithm: ClientKeyAlgorithm) -> Result<(), &'static str> {
    let text = pem.expose();
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return Err("the key is encrypted: `openssl pkcs8 -in KEY -out KEY2 -nocrypt` writes it in the clear");
    }
    if text.contains("-----BEGIN RSA PRIVATE KEY-----") || text.contains("-----BEGIN EC PRIVATE KEY-----") {
        return Err("an older format: `openssl pkcs8 -topk8 -nocrypt -in KEY -out KEY2` makes PKCS#8 of it");
    }
    let body = text
        .split_once("-----BEGIN PRIVATE KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
        .map(|(body, _)| body.split_ascii_whitespace().collect::<String>())
        .ok_or("no block `BEGIN PRIVATE KEY` in it")?;
    let der = base64::engine::general_purpose::STANDARD.decode(body).map_err(|_| "its base64 is broken")?;
    let usable = match algorithm {
        ClientKeyAlgorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).is_ok(),
        ClientKeyAlgorithm::Rs256 | ClientKeyAlgorithm::Ps256 => KeyPair::from_pkcs8(&der).is_ok(),
    };
    usable.then_some(()).ok_or("not a key for this `algorithm`")
}
