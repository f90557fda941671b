//! `services/ID.toml`.

use crate::config::shape::Key;
use crate::config::shape::Kind::{Address, Map, OneOf, Secret, Secrets, Share, Table, Text, Texts, Uuid};

pub static KEYS: &[Key] = &[
    Key::new("uid", Uuid, "The service's UUID in the management API; left out: made from kind and stem.").or(""),
    Key::new("name", Text, "Shown to people and admins.").required(),
    Key::new(
        "driver",
        OneOf(&["access", "uem", "scim2"]),
        "access: Workspace ONE Access (SCIM 1.1); uem: Workspace ONE UEM (REST); scim2: any SCIM 2.0 service.",
    )
    .required(),
    Key::new("url", Address, "The base address of its interface.").required(),
    Key::new("directory", Text, "The directory (stem) whose people it gets.").required(),
    Key::new(
        "state",
        OneOf(&["on", "paused", "deselected"]),
        "paused: changes wait in the outbox; deselected is written by `services deselect`.",
    )
    .or("on"),
    Key::new("auth", Table(AUTH), "How we show the service who we are.").required(),
    Key::new("scope", Table(SCOPE), "Who goes there; left out: everybody and every group."),
    Key::new("attributes", Map, "Service's attribute = directory attribute, instead of the driver's preset."),
    Key::new("mapping", Table(MAPPING), "What happens when the mapping changes."),
    Key::new("adopt", Table(ADOPT), "Accounts that were there before."),
    Key::new("out_of_scope", Table(OUT_OF_SCOPE), "People who leave the scope or the directory."),
    Key::new("guard", Table(GUARD), "A brake on removals."),
    Key::new("authentication", Table(AUTHENTICATION), "The authentication settings passed on with the people."),
];

static AUTH: &[Key] = &[
    Key::new(
        "kind",
        OneOf(&["bearer", "basic", "oauth2"]),
        "bearer: token; basic: user, password; oauth2: token_url, client_id, client_secret, scope, in.",
    )
    .or("bearer"),
    Key::new("token", Secret, "bearer: the token."),
    Key::new("user", Text, "basic: the user name.").or(""),
    Key::new("password", Secret, "basic: the password."),
    Key::new("token_url", Address, "oauth2: the token endpoint.").or(""),
    Key::new("client_id", Text, "oauth2: our client id there.").or(""),
    Key::new("client_secret", Secret, "oauth2: our secret there."),
    Key::new("scope", Text, "oauth2: the scope asked for.").or(""),
    Key::new("in", OneOf(&["header", "body"]), "oauth2: where our credential stands.").or("header"),
    Key::new("headers", Secrets, "Further headers, such as aw-tenant-code."),
];

static SCOPE: &[Key] = &[Key::new("groups", Texts, "Members of these, and these groups.").or_texts(&[])];

static MAPPING: &[Key] =
    &[Key::new("removed", OneOf(&["clear", "leave"]), "Values at the service when an attribute is no longer mapped.")
        .or("clear")];

static ADOPT: &[Key] = &[Key::new(
    "by_name",
    OneOf(&["ask", "link", "never"]),
    "An account of the same name that isn't marked as ours; by equal externalId: always.",
)
.or("ask")];

static OUT_OF_SCOPE: &[Key] =
    &[Key::new("action", OneOf(&["keep", "deactivate", "delete"]), "What is done with them there.").or("deactivate")];

static GUARD: &[Key] = &[
    Key::new("max_removals", Share, "A share of our people there (rounded up, at least 1) or a number; removals past it, counted over an hour, are held.").or("5%"),
];

static AUTHENTICATION: &[Key] =
    &[Key::new("client", Text, "The client (stem) that the service signs people in with.").or("")];
