//! `[scim]` of `directories/ID.toml`: what the file says, over what the source presets.

use crate::config::view::View;
use crate::identity::dialect::{
    Blank, LoneMember, Missing, Omission, PatchAnswer, Returning, SameGroupName, StringBooleans, Tombstones,
    UnknownMembers,
};
use crate::identity::{Dialect, Source};

pub fn build(view: &View<'_>, source: Source) -> Dialect {
    let preset = Dialect::preset(source);
    let answers = view.table("patch_answer");
    let omissions = [("clear", Omission::Clear), ("keep", Omission::Keep)];
    let blanks = [("clear", Blank::Clear), ("ignore", Blank::Ignore)];
    let booleans = [("accept", StringBooleans::Accept), ("refuse", StringBooleans::Refuse)];
    let members = [("park", UnknownMembers::Park), ("refuse", UnknownMembers::Refuse)];
    let missing = [("incomplete", Missing::Incomplete), ("refuse", Missing::Refuse)];
    let names = [("refuse", SameGroupName::Refuse), ("allow", SameGroupName::Allow)];
    let returning =
        [("revive", Returning::Revive), ("revive_guid", Returning::ReviveGuid), ("refuse", Returning::Refuse)];
    let tombstones = [("recognize", Tombstones::Recognize), ("ignore", Tombstones::Ignore)];
    let lone = [("replace", LoneMember::Replace), ("add", LoneMember::Add)];
    Dialect {
        put_omission: word(view, "put_omission", &omissions, preset.put_omission),
        blank: word(view, "blank", &blanks, preset.blank),
        string_booleans: word(view, "string_booleans", &booleans, preset.string_booleans),
        unknown_members: word(view, "unknown_members", &members, preset.unknown_members),
        missing: word(view, "missing", &missing, preset.missing),
        same_group_name: word(view, "same_group_name", &names, preset.same_group_name),
        returning: word(view, "returning", &returning, preset.returning),
        tombstones: word(view, "tombstones", &tombstones, preset.tombstones),
        lone_member: word(view, "lone_member", &lone, preset.lone_member),
        patch_users: word(&answers, "users", &ANSWERS, preset.patch_users),
        patch_groups: word(&answers, "groups", &ANSWERS, preset.patch_groups),
        ..preset
    }
}

const ANSWERS: [(&str, PatchAnswer); 3] = [
    ("200", PatchAnswer::Whole),
    ("200-without-members", PatchAnswer::WithoutMembers),
    ("204", PatchAnswer::NoContent),
];

/// What the file's word stands for; without one, or with one that is a finding already, the preset.
fn word<T: Copy>(view: &View<'_>, key: &str, words: &[(&str, T)], preset: T) -> T {
    let text = view.text(key);
    words.iter().find(|(word, _)| *word == text).map_or(preset, |(_, value)| *value)
}
