//! The record of an access token: kept under the digest of a random text. The opaque token is that text; a signed
//! one has its digest as `jti`, so that nobody who sees a `jti` in a log can present it as a token.

use serde::{Deserialize, Serialize};

use super::family::{Family, FamilyId};
use super::grant::{GRANT_VERSION, Grant};
use super::machine::MachineRecord;
use crate::base::{Moment, Span};
use crate::oidc::ClientId;
use crate::oidc::client::RuleSet;

/// The version of the stored form. Records of another one count as absent.
pub const ACCESS_VERSION: u32 = 1;

/// What an access token stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccessRecord {
    /// Without nonce.
    pub grant: Grant,
    /// The refresh family that it ends with.
    pub family: Option<FamilyId>,
    /// Whether it ends with its session: everything but what came by `offline_access`.
    pub bound_to_session: bool,
    pub issued: Moment,
    pub expires: Moment,
    /// Whether it was ever presented to us: then the refresh token before it is good no more.
    pub used: bool,
}

/// What is kept under an access token's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", try_from = "Flat")]
pub enum AccessState {
    /// For a person.
    Issued(Box<AccessRecord>),
    /// For a program in its own name.
    Machine(MachineRecord),
    /// For a provisioning service that came with id and secret: a pass to SCIM, and to nothing else.
    Sync(SyncRecord),
    /// A tombstone: whatever still holds an older copy must not revive it.
    Revoked { at: Moment },
}

/// A token of a provisioning service. What it is worth is asked of the credential at each use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRecord {
    /// The id of the credential.
    pub client: ClientId,
    pub issued: Moment,
    pub expires: Moment,
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    version: u32,
    token: T,
}

/// An [`AccessState`] as it is read: by its tag it would be read into a tree first, at each userinfo.
#[derive(Deserialize)]
struct Flat {
    state: Tag,
    grant: Option<Grant>,
    family: Option<FamilyId>,
    bound_to_session: Option<bool>,
    issued: Option<Moment>,
    expires: Option<Moment>,
    used: Option<bool>,
    client: Option<ClientId>,
    rule_sets: Option<Vec<RuleSet>>,
    at: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tag {
    Issued,
    Machine,
    Sync,
    Revoked,
}

impl TryFrom<Flat> for AccessState {
    type Error = &'static str;

    fn try_from(flat: Flat) -> Result<Self, Self::Error> {
        let read = || match flat.state {
            Tag::Revoked => Some(Self::Revoked { at: flat.at? }),
            Tag::Issued => Some(Self::Issued(Box::new(AccessRecord {
                grant: flat.grant?,
                family: flat.family,
                bound_to_session: flat.bound_to_session?,
                issued: flat.issued?,
                expires: flat.expires?,
                used: flat.used?,
            }))),
            Tag::Machine => Some(Self::Machine(MachineRecord {
                client: flat.client?,
                rule_sets: flat.rule_sets?,
                issued: flat.issued?,
                expires: flat.expires?,
            })),
            Tag::Sync => {
                Some(Self::Sync(SyncRecord { client: flat.client?, issued: flat.issued?, expires: flat.expires? }))
            }
        };
        read().ok_or("a field is missing")
    }
}

impl AccessRecord {
    /// `family`: the one that it is issued with. Without one it ends with its session.
    #[must_use]
    pub fn new(grant: Grant, family: Option<&Family>, lifetime: Span, now: Moment) -> Self {
        Self {
            grant: grant.without_nonce(),
            family: family.map(|family| family.id.clone()),
            bound_to_session: family.is_none_or(|family| family.bound_to_session),
            issued: now,
            expires: now.plus(lifetime),
            used: false,
        }
    }

    /// Whether its own time is over; its user's, session's and family's standing is asked apart.
    #[must_use]
    pub fn is_expired(&self, now: Moment) -> bool {
        self.expires <= now
    }

    /// The record after its first use; `None` if it was used before.
    #[must_use]
    pub fn first_use(&self) -> Option<Self> {
        (!self.used).then(|| Self { used: true, ..self.clone() })
    }
}

impl AccessState {
    /// The client that it was issued to, and when its own time is over; `None` once it is revoked, and for a provisioning
    /// service, which is no client.
    #[must_use]
    pub fn issued_to(&self) -> Option<(&ClientId, Moment)> {
        match self {
            Self::Issued(record) => Some((&record.grant.client, record.expires)),
            Self::Machine(record) => Some((&record.client, record.expires)),
            Self::Sync(_) | Self::Revoked { .. } => None,
        }
    }

    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Texts and numbers only, and no map with other keys than text: this can't fail. Empty bytes
        // would count as absent.
        serde_json::to_vec(&Stored { version: ACCESS_VERSION, token: self }).unwrap_or_default()
    }

    /// Reads the stored form; one of another version, or broken, counts as absent.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let Stored { version, token } = serde_json::from_slice::<Stored<Self>>(bytes).ok()?;
        match token {
            _ if version != ACCESS_VERSION => None,
            Self::Issued(record) if record.grant.version != GRANT_VERSION => None,
            state => Some(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::NewTokens;
    use super::super::samples::{NOW, client, grant};
    use super::*;
    use crate::base::Digest;
    use crate::oidc::Scope;
    use crate::oidc::client::TokenLifetimes;

    /// As version 1 was written; must be read for as long as that version is.
    const ISSUED_V1: &str = include_str!("golden/access_v1.json");
    const REVOKED_V1: &str = include_str!("golden/access_revoked_v1.json");
    const MACHINE_V1: &str = include_str!("golden/access_machine_v1.json");
    const SYNC_V1: &str = include_str!("golden/access_sync_v1.json");

    fn family(scopes: &[Scope]) -> Family {
        let first = NewTokens { refresh: Digest::of("refresh"), access: Digest::of("access") };
        Family::begin(FamilyId(Digest::of("family")), &grant(scopes), first, &TokenLifetimes::default(), NOW)
    }

    fn record() -> AccessRecord {
        AccessRecord::new(grant(&Scope::ALL), Some(&family(&Scope::ALL)), Span::minutes(10), NOW)
    }

    #[test]
    fn g16_the_stored_forms_of_version_1_are_read_and_written() {
        let rule_sets = vec![RuleSet::TenantAdmin, RuleSet::ReadOnlyTenantAdmin];
        let machine = MachineRecord::new(&client(), rule_sets, NOW);
        let sync = SyncRecord { client: ClientId("scim-1".to_owned()), issued: NOW, expires: NOW.plus(Span::hours(1)) };
        for (golden, state) in [
            (ISSUED_V1, AccessState::Issued(Box::new(record()))),
            (MACHINE_V1, AccessState::Machine(machine)),
            (SYNC_V1, AccessState::Sync(sync)),
            (REVOKED_V1, AccessState::Revoked { at: NOW }),
        ] {
            assert_eq!(AccessState::decode(golden.trim_end().as_bytes()).as_ref(), Some(&state));
            assert_eq!(String::from_utf8(state.encode()).as_deref(), Ok(golden.trim_end()));
        }
    }

    #[test]
    fn g16_other_versions_and_broken_records_count_as_absent() {
        for (from, to) in [
            ("{\"version\":1,\"token\"", "{\"version\":2,\"token\""),
            ("{\"version\":1,\"client\"", "{\"version\":9,\"client\""),
        ] {
            assert!(ISSUED_V1.contains(from));
            let other = ISSUED_V1.replacen(from, to, 1);
            assert_eq!(AccessState::decode(other.as_bytes()), None, "{to}");
        }
        for broken in ["", "{", "null", "{\"version\":1}", ISSUED_V1.get(..200).unwrap_or_default()] {
            assert_eq!(AccessState::decode(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn a_token_is_bound_to_its_session_unless_its_family_is_not() {
        assert!(!record().bound_to_session);
        assert_eq!(record().grant.nonce, None);
        let narrowed = AccessRecord::new(grant(&[Scope::Openid]), Some(&family(&Scope::ALL)), Span::ZERO, NOW);
        assert!(!narrowed.bound_to_session, "the family counts, not the scopes of this token");
        assert!(AccessRecord::new(grant(&Scope::ALL), None, Span::ZERO, NOW).bound_to_session);
    }

    #[test]
    fn a_token_has_one_first_use_and_one_end() {
        let used = record().first_use().expect("unused so far");
        assert_eq!(used, AccessRecord { used: true, ..record() });
        assert_eq!(used.first_use(), None);
        assert!(!record().is_expired(NOW.plus(Span::from_ms(Span::minutes(10).ms() - 1))));
        assert!(record().is_expired(NOW.plus(Span::minutes(10))));
    }
}
