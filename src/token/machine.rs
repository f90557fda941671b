//! A token of a program in its own name (RFC 6749 §4.4). It names a client and no person; its scopes are rule sets of
//! that client's file.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::standing::Why;
use crate::base::Moment;
use crate::base::limits::SCOPE_WORDS_MAX;
use crate::oidc::client::{GrantType, RuleSet};
use crate::oidc::{Client, ClientId, ErrorCode, OAuthError};

/// What such a token stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRecord {
    pub client: ClientId,
    /// As issued; what they are worth is asked at each use.
    pub rule_sets: Vec<RuleSet>,
    pub issued: Moment,
    pub expires: Moment,
}

impl MachineRecord {
    #[must_use]
    pub fn new(client: &Client, rule_sets: Vec<RuleSet>, now: Moment) -> Self {
        Self { client: client.id.clone(), rule_sets, issued: now, expires: now.plus(client.tokens.access) }
    }

    /// The rules of now: the rights that are left of it. None left is no fault; the token then opens nothing.
    ///
    /// # Errors
    /// [`Why::ClientDisabled`], [`Why::Expired`], [`Why::GrantNotAllowed`]. Whether it was revoked is asked apart.
    pub fn rights(&self, client: &Client, now: Moment) -> Result<Vec<RuleSet>, Why> {
        if !client.enabled {
            return Err(Why::ClientDisabled);
        }
        if self.expires <= now {
            return Err(Why::Expired);
        }
        if !client.may_use(GrantType::ClientCredentials) {
            return Err(Why::GrantNotAllowed);
        }
        Ok(self.rule_sets.iter().copied().filter(|rule_set| client.rule_sets.contains(rule_set)).collect())
    }
}

/// The rule sets of a new token: those asked for that the client has, or all that it has if it asks for none. Any other
/// word is left out (RFC 6749 §3.3), so neither `openid` nor `offline_access` means anything here.
///
/// # Errors
/// `invalid_scope` if something was asked for and nothing of it is left.
pub fn granted(asked: Option<&str>, client: &Client) -> Result<Vec<RuleSet>, OAuthError> {
    let words: Vec<&str> = asked.unwrap_or_default().split_ascii_whitespace().take(SCOPE_WORDS_MAX + 1).collect();
    if words.len() > SCOPE_WORDS_MAX {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "scope has too many words"));
    }
    let has = |rule_set: &RuleSet| client.rule_sets.contains(rule_set);
    let wanted = |rule_set: &RuleSet| words.is_empty() || words.contains(&rule_set.as_str());
    let granted: Vec<RuleSet> = RuleSet::ALL.into_iter().filter(|it| has(it) && wanted(it)).collect();
    if granted.is_empty() && !words.is_empty() {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "the client has none of these scopes in its own name"));
    }
    Ok(granted)
}

/// The `scope` of these rule sets; `None` for none (RFC 6749 §3.3 knows no empty one).
#[must_use]
pub fn scope(rule_sets: &[RuleSet]) -> Option<String> {
    let words: Vec<&str> = rule_sets.iter().map(|rule_set| rule_set.as_str()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The claims of a signed one (RFC 9068 §2.2: `sub` is the client); `id` becomes `jti`.
#[must_use]
pub fn claims(record: &MachineRecord, issuer: &str, id: &str) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", issuer.into());
    set("sub", record.client.0.as_str().into());
    set("aud", issuer.into());
    set("client_id", record.client.0.as_str().into());
    if let Some(scope) = scope(&record.rule_sets) {
        set("scope", scope.into());
    }
    set("jti", id.into());
    set("iat", record.issued.secs().into());
    set("exp", record.expires.secs().into());
    claims
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::{NOW, client};
    use super::*;
    use crate::base::Span;

    const TWO: [RuleSet; 2] = [RuleSet::TenantAdmin, RuleSet::ReadOnlyTenantAdmin];

    fn program() -> Client {
        Client { grant_types: vec![GrantType::ClientCredentials], rule_sets: TWO.to_vec(), ..client() }
    }

    #[test]
    fn a093_only_the_clients_own_rule_sets_are_granted() {
        let of = |asked| granted(asked, &program()).map_err(|error| error.code);
        for asked in [None, Some(""), Some("  ")] {
            assert_eq!(of(asked), Ok(TWO.to_vec()), "{asked:?}");
        }
        assert_eq!(of(Some("READ_ONLY_TENANT_ADMIN openid offline_access")), Ok(vec![RuleSet::ReadOnlyTenantAdmin]));
        assert_eq!(of(Some("READ_ONLY_TENANT_ADMIN TENANT_ADMIN TENANT_ADMIN")), Ok(TWO.to_vec()));
        for nothing in ["openid", "offline_access profile", "IDP_AND_DIRECTORY_ADMIN", "tenant_admin", "x"] {
            assert_eq!(of(Some(nothing)), Err(ErrorCode::InvalidScope), "{nothing}");
        }
        assert_eq!(of(Some(&"TENANT_ADMIN ".repeat(101))), Err(ErrorCode::InvalidScope));
        let bare = Client { rule_sets: Vec::new(), ..program() };
        assert_eq!(granted(None, &bare), Ok(Vec::new()), "a token without rights");
        assert_eq!(granted(Some("TENANT_ADMIN"), &bare).map_err(|e| e.code), Err(ErrorCode::InvalidScope));
    }

    #[test]
    fn a093_rights_are_those_that_the_file_still_gives() {
        let record = MachineRecord::new(&program(), TWO.to_vec(), NOW);
        assert_eq!(record.rights(&program(), NOW), Ok(TWO.to_vec()));
        let fewer = Client { rule_sets: vec![RuleSet::TenantAdmin], ..program() };
        assert_eq!(record.rights(&fewer, NOW), Ok(vec![RuleSet::TenantAdmin]));
        let narrow = MachineRecord::new(&program(), vec![RuleSet::TenantAdmin], NOW);
        assert_eq!(narrow.rights(&program(), NOW), Ok(vec![RuleSet::TenantAdmin]), "no right is added later");
        let off = Client { enabled: false, ..program() };
        assert_eq!(record.rights(&off, NOW), Err(Why::ClientDisabled));
        let other_grant = Client { grant_types: vec![GrantType::AuthorizationCode], ..program() };
        assert_eq!(record.rights(&other_grant, NOW), Err(Why::GrantNotAllowed));
        let almost = NOW.plus(Span::from_ms(Span::minutes(10).ms() - 1));
        assert!(record.rights(&program(), almost).is_ok());
        assert_eq!(record.rights(&program(), NOW.plus(Span::minutes(10))), Err(Why::Expired));
    }

    #[test]
    fn a_signed_one_names_the_client_as_its_subject() {
        let record = MachineRecord::new(&program(), TWO.to_vec(), NOW);
        let expected = json!({
            "iss": "https://id.example.com/acs", "sub": "access", "aud": "https://id.example.com/acs",
            "client_id": "access", "scope": "TENANT_ADMIN READ_ONLY_TENANT_ADMIN", "jti": "id-1",
            "iat": 1_800_000_000, "exp": 1_800_000_600,
        });
        assert_eq!(Value::Object(claims(&record, "https://id.example.com/acs", "id-1")), expected);
        let bare = MachineRecord { rule_sets: Vec::new(), ..record };
        assert!(!claims(&bare, "i", "id-1").contains_key("scope"));
    }
}
