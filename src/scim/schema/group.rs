//! RFC 7643 §4.2. `members` stands elsewhere: members are rows of their own.

use super::table::{Row, sub, text};
use super::{Kind, Mutability, Sub};

pub(super) const ROWS: &[Row] = &[
    text("externalId", "The identifier of the group at the product that provisions it.").exact().unique(),
    text("displayName", "The name of the group."),
];

/// The parts of a member; a member is put in and taken out whole.
pub const MEMBER: &[Sub] = &[
    immutable(sub("value", "The id of the member.").exactly()),
    immutable(sub("$ref", "The address of the member.").of_kind(Kind::Reference).exactly()),
    immutable(sub("type", "User or Group.")),
    sub("display", "The name of the member.").read_only(),
];

/// The parts of a group as its member shows it.
pub const GROUP_OF: &[Sub] = &[
    sub("value", "The id of the group.").exactly().read_only(),
    sub("$ref", "The address of the group.").of_kind(Kind::Reference).exactly().read_only(),
    sub("display", "The name of the group.").read_only(),
    sub("type", "direct, or indirect by way of a group within it.").read_only(),
];

const fn immutable(sub: Sub) -> Sub {
    Sub { mutability: Mutability::Immutable, ..sub }
}
