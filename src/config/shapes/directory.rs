//! `directories/ID.toml`.

use crate::config::shape::Key;
use crate::config::shape::Kind::{Deactivation, Domains, Duration, Flag, OneOf, Share, Table, Text, Texts, Uuid};

pub static KEYS: &[Key] = &[
    Key::new("uid", Uuid, "The directory's UUID in the management API; left out: made from kind and stem.").or(""),
    Key::new("name", Text, "Shown to admins and people.").required(),
    Key::new("domains", Domains, "Domains of its people's names and addresses.").or_texts(&[]),
    Key::new("default_domain", Text, "One of `domains`: for users whose name has none.").or(""),
    Key::new("source", OneOf(&["azure", "okta", "ping", "generic"]), "Which product provisions it.").required(),
    Key::new(
        "type",
        OneOf(&["provisioned", "jit"]),
        "provisioned: only SCIM creates users; jit: a login creates and updates the user.",
    )
    .or("provisioned"),
    Key::new(
        "attributes",
        Texts,
        "The confirmed attributes, by SCIM name; an extension's by URN or by its short name.",
    )
    .or_texts(&["userName", "externalId", "emails", "name.givenName", "name.familyName", "active", "displayName"]),
    Key::new("decode_ms_guid", Flag, "externalId is sent as base64 of a Microsoft GUID.").off(),
    Key::new("lifecycle", Table(LIFECYCLE), "What happens to people who leave."),
    Key::new("guard", Table(GUARD), "A brake on removals."),
    Key::new("scim", Table(SCIM), "How this source speaks SCIM; `source` presets all of it."),
];

static LIFECYCLE: &[Key] = &[
    Key::new("on_deactivate", Deactivation, "keep, delete_now or \"delete_after 30d\".").or("keep"),
    Key::new(
        "purge_after",
        Duration,
        "Values of an attribute that is no longer confirmed are out of use at once and erased after this.",
    )
    .or("7d"),
    Key::new("clear_sentinel", Text, "A value that means: clear this attribute.").or("__CLEAR__"),
];

static GUARD: &[Key] =
    &[Key::new("max_removals", Share, "Deletions by policy beyond this, per hour, wait for a person.").or("5%")];

static SCIM: &[Key] = &[
    Key::new(
        "put_omission",
        OneOf(&["clear", "keep"]),
        "What an attribute absent from a PUT means (azure: keep; okta, ping, generic: clear).",
    ),
    Key::new("patch_answer", Table(PATCH_ANSWER), "What a PATCH is answered with."),
    Key::new(
        "blank",
        OneOf(&["clear", "ignore"]),
        "What null, [], \"\" and white space mean: no value any more, or as if it had not been sent.",
    ),
    Key::new("string_booleans", OneOf(&["accept", "refuse"]), "Whether \"True\" and \"false\" count as booleans."),
    Key::new(
        "unknown_members",
        OneOf(&["park", "refuse"]),
        "A group's member whom nobody knows: waits until a user or group of that id appears, or 400.",
    ),
    Key::new(
        "missing",
        OneOf(&["incomplete", "refuse"]),
        "A user without an email, a given or family name or an externalId: stored and shown as incomplete, or 400.",
    ),
    Key::new(
        "same_group_name",
        OneOf(&["refuse", "allow"]),
        "A second group of the same displayName (okta: allow; others: refuse, with 409).",
    ),
    Key::new(
        "returning",
        OneOf(&["revive", "revive_guid", "refuse"]),
        "A new user with the externalId of one who is switched off: the same user again, the same if that is a GUID (azure), or 409.",
    ),
    Key::new(
        "tombstones",
        OneOf(&["recognize", "ignore"]),
        "Whether 32 hexadecimal digits before the userName of a user who is switched off are the source's recycle bin (okta: ignore).",
    ),
    Key::new(
        "lone_member",
        OneOf(&["replace", "add"]),
        "What replacing a group's members by a single one means: it is the only one from now on, or it is added.",
    ),
];

static PATCH_ANSWER: &[Key] = &[
    Key::new("users", OneOf(ANSWERS), "For a user (preset: 200)."),
    Key::new(
        "groups",
        OneOf(ANSWERS),
        "For a group (azure: 204; okta: 200-without-members; ping, generic: 200); above 1,000 members always 204.",
    ),
];

const ANSWERS: &[&str] = &["200", "200-without-members", "204"];
