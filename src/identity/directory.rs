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
    pub max_removals: String,
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
