//! What is known of a kind of identity provider, read from `presets/KIND.toml`.

use std::collections::BTreeMap;

use super::shapes::idp::PRESET;
use super::source::Source;
use super::tree::{Table, Value, parse};
use super::view::View;
use super::walk::flatten_maps;
use crate::oidc::idp::{PromptSupport, SignOutProof};

/// Facts about a kind of provider, and defaults of its file.
#[derive(Debug)]
pub struct KindPreset {
    pub prompt: PromptSupport,
    pub sign_out: SignOutProof,
    /// Whether `domain_hint = "auto"` sends anything.
    pub domain_hint_auto: bool,
    /// Whether an issuer that ends in a slash is wrong.
    pub refuses_issuer_slash: bool,
    /// The scope that a claim needs.
    pub claim_scopes: BTreeMap<String, String>,
    pub mutable_claims: Vec<String>,
    pub tenant: Option<TenantIssuer>,
    /// Claims that differ for every application.
    pub per_application: Vec<String>,
    /// Claims in which others can write anything.
    pub writable: Vec<String>,
    pub defaults: Table,
}

/// Providers whose issuer names the tenant: `https://HOST/TENANT-GUID` and the suffix.
#[derive(Debug)]
pub struct TenantIssuer {
    pub hosts: Vec<String>,
    pub suffix: String,
    /// Hosts of an older version.
    pub v1_hosts: Vec<String>,
    /// What stands in the tenant's place for everybody.
    pub shared: Vec<String>,
}

const ENTRA: &str = include_str!("presets/entra.toml");
const OKTA: &str = include_str!("presets/okta.toml");
const OIDC: &str = include_str!("presets/oidc.toml");

impl KindPreset {
    /// The preset of a kind; of an unknown one, that of any OpenID Provider.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        Self::read(match kind {
            "entra" => ENTRA,
            "okta" => OKTA,
            _ => OIDC,
        })
    }

    fn read(text: &str) -> Self {
        let (mut table, _) = parse(text);
        flatten_maps(&mut table, PRESET);
        let source = Source::preset(text);
        let view = View::new(&source, &table, PRESET);
        let tenant = view.table("tenant");
        let claims = view.table("claims");
        Self {
            prompt: match view.text("prompt").as_str() {
                "no_select_account" => PromptSupport::NoSelectAccount,
                "select_account_without_hint" => PromptSupport::SelectAccountWithoutHint,
                _ => PromptSupport::SelectAccount,
            },
            sign_out: match view.text("sign_out").as_str() {
                "login_hint" => SignOutProof::LoginHint,
                "fresh_id_token" => SignOutProof::FreshIdToken,
                _ => SignOutProof::IdToken,
            },
            domain_hint_auto: view.flag("domain_hint_auto"),
            refuses_issuer_slash: view.text("issuer_slash") == "never",
            claim_scopes: view.map("claim_scopes"),
            mutable_claims: view.texts("mutable_claims"),
            tenant: tenant.is_present().then(|| TenantIssuer {
                hosts: tenant.texts("hosts"),
                suffix: tenant.text("suffix"),
                v1_hosts: tenant.texts("v1_hosts"),
                shared: tenant.texts("shared"),
            }),
            per_application: claims.texts("per_application"),
            writable: claims.texts("writable"),
            defaults: match table.get("defaults").map(|entry| &entry.node.value) {
                Some(Value::Table(defaults)) => defaults.clone(),
                _ => Table::default(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::walk::check;

    #[test]
    fn the_presets_are_made_of_known_keys_and_values() {
        for text in [ENTRA, OKTA, OIDC] {
            let (mut table, errors) = parse(text);
            flatten_maps(&mut table, PRESET);
            assert_eq!(errors, []);
            let codes: Vec<&str> =
                check(&Source::preset(text), &table, PRESET).iter().map(|finding| finding.code).collect();
            // Only what a preset leaves to the file is missing: name, kind, issuer, client_id, directory, a key.
            assert!(codes.iter().all(|code| *code == "CFG05"), "{codes:?}");
        }
    }

    #[test]
    fn entra_is_never_asked_for_userinfo_and_matched_by_its_object_id() {
        let preset = KindPreset::of("entra");
        let source = Source::preset("");
        let empty = Table::default();
        let view = View::new(&source, &empty, crate::config::shapes::idp::KEYS).over(&preset.defaults);
        assert_eq!(view.text("userinfo"), "never");
        assert_eq!(view.table("match").text("claim"), "oid");
        assert_eq!(view.table("match").text("attribute"), "externalId");
        assert_eq!(view.table("freshness").text("proof"), "prompt");
        assert_eq!(view.map("user_attributes").get("userPrincipalName").map(String::as_str), Some("upn"));
        assert_eq!(preset.prompt, PromptSupport::SelectAccountWithoutHint);
    }
}
