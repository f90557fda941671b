//! The extensions of Workspace ONE.

use super::table::{Row, text};

pub(super) const USER: &[Row] = &[
    text("adSourceAnchor", "What ties the user to Active Directory.").exact(),
    text("customAttribute1", "The organization's own.").sensitive(),
    text("customAttribute2", "The organization's own.").sensitive(),
    text("customAttribute3", "The organization's own.").sensitive(),
    text("customAttribute4", "The organization's own.").sensitive(),
    text("customAttribute5", "The organization's own.").sensitive(),
    text("distinguishedName", "The distinguished name in the directory of origin."),
    text("domain", "The domain of the user."),
    text("userPrincipalName", "The user principal name."),
    text("onPremisesUserPrincipalName", "The user principal name in Active Directory."),
];

pub(super) const GROUP: &[Row] = &[
    text("description", "What the group is for."),
    text("distinguishedName", "The distinguished name in the directory of origin."),
    text("domain", "The domain of the group."),
];
