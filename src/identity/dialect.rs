//! How a source of users and groups speaks SCIM: a table of data, not code with ifs. Every dialect of PATCH is understood
//! on every connection, whatever stands here; these rules say what a statement *means*.

use super::source::Source;

/// What the parts of a SCIM request mean on one connection: `[scim]` of the directory's file, preset by its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// What an attribute that is absent from a PUT means. `active`, `externalId`, `password` and a group's `members`
    /// are kept in any case.
    pub put_omission: Omission,
    /// What null, `[]`, `""` and white space mean for an attribute that may be absent.
    pub blank: Blank,
    /// Whether `"True"` and `"false"` count as booleans.
    pub string_booleans: StringBooleans,
    /// What becomes of a member whom nobody knows.
    pub unknown_members: UnknownMembers,
    /// What becomes of a user who lacks an attribute that services need.
    pub missing: Missing,
    /// A second group of the same displayName.
    pub same_group_name: SameGroupName,
    /// A POST whose externalId is that of a user who is switched off.
    pub returning: Returning,
    /// Whether a userName of 32 hexadecimal digits and the old name is a tombstone (Entra's soft deletion).
    pub tombstones: Tombstones,
    /// What `replace members` with exactly one value means.
    pub lone_member: LoneMember,
    pub patch_users: PatchAnswer,
    pub patch_groups: PatchAnswer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omission {
    Clear,
    Keep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blank {
    Clear,
    /// As if it had not been sent.
    Ignore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringBooleans {
    Accept,
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownMembers {
    /// They become members when a user or group of that id appears.
    Park,
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Stored, shown as incomplete, not told to services.
    Incomplete,
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameGroupName {
    Refuse,
    Allow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returning {
    /// The same user again: same id, memberships kept.
    Revive,
    /// The same, if the externalId is a GUID; otherwise refused.
    ReviveGuid,
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tombstones {
    Recognize,
    Ignore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoneMember {
    /// As RFC 7644 §3.5.2.3 has it: it is the only member from now on.
    Replace,
    /// It is added: for sources that are seen to mean that.
    Add,
}

/// What a PATCH is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchAnswer {
    Whole,
    WithoutMembers,
    NoContent,
}

impl Dialect {
    /// What `source` presets.
    #[must_use]
    pub const fn preset(source: Source) -> Self {
        let generic = Self {
            put_omission: Omission::Clear,
            blank: Blank::Clear,
            string_booleans: StringBooleans::Accept,
            unknown_members: UnknownMembers::Park,
            missing: Missing::Incomplete,
            same_group_name: SameGroupName::Refuse,
            returning: Returning::Revive,
            tombstones: Tombstones::Recognize,
            lone_member: LoneMember::Replace,
            patch_users: PatchAnswer::Whole,
            patch_groups: PatchAnswer::Whole,
        };
        match source {
            Source::Azure => Self {
                put_omission: Omission::Keep,
                returning: Returning::ReviveGuid,
                patch_groups: PatchAnswer::NoContent,
                ..generic
            },
            Source::Okta => Self {
                same_group_name: SameGroupName::Allow,
                tombstones: Tombstones::Ignore,
                patch_groups: PatchAnswer::WithoutMembers,
                ..generic
            },
            Source::Ping | Source::Generic => generic,
        }
    }
}
