//! JSON Schema (2020-12) of each kind of file, made from the tables by which files are read.

use serde_json::{Map, Value, json};

use super::shape::{Key, Kind, LIVE_SECRETS_MAX, Need, Preset};
use super::shapes::SchemaKind;

/// The schema of a kind of file, for editors.
#[must_use]
pub fn schema(kind: SchemaKind) -> Value {
    let mut schema = object(kind.keys());
    let title = match kind {
        SchemaKind::Server => "vestibule.toml".to_owned(),
        other => format!("{}/ID.toml", other.folder()),
    };
    if let Value::Object(members) = &mut schema {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("title".to_owned(), json!(title));
    }
    schema
}

fn object(keys: &'static [Key]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.need == Need::Required).map(|key| key.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty()
        && let Value::Object(members) = &mut schema
    {
        members.insert("required".to_owned(), json!(required));
    }
    schema
}

fn property(key: &'static Key) -> Value {
    let mut schema = of_kind(&key.kind);
    if let Value::Object(members) = &mut schema {
        members.insert("description".to_owned(), json!(key.doc));
        let default = match key.default {
            Preset::None => None,
            Preset::Text(text) => Some(json!(text)),
            Preset::Flag(flag) => Some(json!(flag)),
            Preset::Count(count) => Some(json!(count)),
            Preset::Texts(texts) => Some(json!(texts)),
        };
        if let Some(default) = default {
            members.insert("default".to_owned(), default);
        }
    }
    schema
}

fn of_kind(kind: &'static Kind) -> Value {
    match kind {
        Kind::Text | Kind::Address | Kind::Path | Kind::Socket => json!({ "type": "string" }),
        Kind::Texts | Kind::Paths | Kind::Domains | Kind::Networks => {
            json!({ "type": "array", "items": { "type": "string" } })
        }
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Duration => json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" }),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::SomeOf(words) => json!({ "type": "array", "items": { "enum": words } }),
        Kind::Colour => json!({ "type": "string", "pattern": "^(#[0-9a-fA-F]{6})?$" }),
        Kind::Uuid => json!({ "type": "string", "format": "uuid" }),
        Kind::Share => {
            json!({ "anyOf": [{ "type": "string", "pattern": "^[0-9]+%?$" }, { "type": "integer", "minimum": 0 }] })
        }
        Kind::Deactivation => json!({ "type": "string", "pattern": "^(keep|delete_now|delete_after [0-9]+[smhd])$" }),
        Kind::Secret | Kind::SecretPem | Kind::SecretUrl => secret(),
        Kind::LiveSecrets => {
            let list = json!({ "type": "array", "items": secret(), "minItems": 1, "maxItems": LIVE_SECRETS_MAX });
            json!({ "anyOf": [secret(), list] })
        }
        Kind::Secrets => json!({ "type": "object", "additionalProperties": secret() }),
        Kind::Jwks => json!({
            "type": "object",
            "properties": { "keys": { "type": "array", "items": { "type": "object" } }, "file": { "type": "string" } },
        }),
        // A key with a dot is a table in TOML's eyes: name.givenName = "given_name".
        Kind::Map => json!({ "type": "object", "additionalProperties": { "type": ["string", "object"] } }),
        Kind::Table(keys) => object(keys),
    }
}

fn secret() -> Value {
    let reference = |name: &str, doc: &str| {
        json!({
            "type": "object",
            "properties": { name: { "type": "string", "description": doc } },
            "required": [name],
            "additionalProperties": false,
        })
    };
    json!({ "anyOf": [
        reference("env", "The environment variable that holds it."),
        reference("file", "The file that holds it, relative to the config folder."),
        { "type": "string", "description": "In the open: works, and is a warning." },
    ] })
}
