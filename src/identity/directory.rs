//! A provisioned directory's settings, checked; `config` makes it from `directories/ID.toml`.

use super::dialect::Dialect;
use super::source::Source;
use crate::base::Span;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// The file's stem.
    pub id: String,
    pub name: String,
    /// Lower case.
    pub domains: Vec<String>,
    pub default_domain: Option<String>,
    pub source: Source,
    pub kind: DirectoryKind,
    /// The confirmed attributes, by SCIM name.
    pub attributes: Vec<String>,
    pub decode_ms_guid: bool,
    pub on_deactivate: OnDeactivate,
    pub purge_after: Span,
    pub clear_sentinel: String,
    pub max_removals: MaxRemovals,
    /// How its source speaks SCIM.
    pub dialect: Dialect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryKind {
    /// Only SCIM creates users.
    Provisioned,
    /// A login creates and updates the user.
    Jit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDeactivate {
    Keep,
    DeleteNow,
    DeleteAfter(Span),
}

/// How many deletions by policy may happen within an hour before the others wait for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxRemovals {
    /// So many per cent of the directory's users, rounded up; at least one user, but of 0 % nobody.
    Share(u32),
    Count(u64),
}

impl MaxRemovals {
    /// The number for a directory of so many users.
    #[must_use]
    pub fn of(self, users: u64) -> u64 {
        match self {
            Self::Share(0) => 0,
            Self::Share(percent) => users.saturating_mul(u64::from(percent)).div_ceil(100).max(1),
            Self::Count(count) => count,
        }
    }
}

impl Directory {
    /// Whether `domain` is one of this directory's, without regard to case.
    #[must_use]
    pub fn has_domain(&self, domain: &str) -> bool {
        let domain = domain.to_lowercase();
        self.domains.contains(&domain)
    }

    #[must_use]
    pub fn confirms(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|confirmed| confirmed == attribute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_to_one_user_at_least_and_a_number_is_taken_as_it_is() {
        for (users, most) in [(0, 1), (1, 1), (20, 1), (21, 2), (100_000, 5_000)] {
            assert_eq!(MaxRemovals::Share(5).of(users), most, "{users}");
        }
        assert_eq!(MaxRemovals::Share(100).of(7), 7);
        assert_eq!((MaxRemovals::Count(0).of(1_000), MaxRemovals::Share(0).of(1_000)), (0, 0), "none without a person");
        assert_eq!(MaxRemovals::Share(100).of(u64::MAX), u64::MAX / 100 + 1, "no overflow");
    }
}
