//! Who writes, and what became of it.

use crate::base::Moment;

/// Who writes, when, and what the audit keeps of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    pub at: Moment,
    /// A credential's id, `policy`, `cli` or `login`.
    pub by: String,
    /// `create`, `update`, `delete`, `revive`, `members`, `deactivate` …
    pub what: &'static str,
    /// What was before and after, as JSON, with sensitive values by digest: see [`AuditRecord::changes`].
    pub changes: String,
}

/// What became of a write. Nothing of it remains unless it is `Done`.
#[derive(Clone, Debug, PartialEq)]
pub enum Written<T> {
    Done(T),
    /// It is no longer the one that was read: another version, or gone.
    Stale,
    /// Somebody else of the same scope and type holds the value of `userName`, `externalId` or `displayName`; or `id`,
    /// which only an import names, is taken, in whatever scope.
    Taken {
        attribute: &'static str,
        by: String,
        external_id: Option<String>,
    },
    /// Neither user nor group of the scope has this id, or it can be nobody's (empty, longer than
    /// [`MEMBER_ID_BYTES_MAX`], with a NUL): a member that [`UnknownMembers`] refuses.
    UnknownMember(String),
    /// The group would have more than [`MEMBERS_MAX`] members, those that are parked included.
    TooManyMembers,
}

impl<T> Written<T> {
    /// The same with another answer.
    #[must_use]
    pub fn map<U>(self, answer: impl FnOnce(T) -> U) -> Written<U> {
        match self {
            Self::Done(done) => Written::Done(answer(done)),
            Self::Stale => Written::Stale,
            Self::Taken { attribute, by, external_id } => Written::Taken { attribute, by, external_id },
            Self::UnknownMember(id) => Written::UnknownMember(id),
            Self::TooManyMembers => Written::TooManyMembers,
        }
    }
}
