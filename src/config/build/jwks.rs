//! A client's own keys for private_key_jwt.

use serde_json::{Map, Value as Json};

use crate::config::lints::{CFG04, CFG17, CLI07, CLI08};
use crate::config::reader::Reader;
use crate::config::tree::{Node, Table, Value};
use crate::config::view::{View, as_text};
use crate::keys::assertion::ClientKeys;

/// Members of a JWK that only its owner may know (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The text of the JWK set, checked.
pub fn read(view: &View<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let node = &view.own("jwks")?.node;
    let Value::Table(table) = &node.value else { return None };
    let file = table.get("file");
    let keys = table.get("keys");
    let set: Json = match (file, keys) {
        (Some(path), None) => {
            let text = reader.file(view.source, as_text(&path.node)?, &path.node.span, &CFG17)?;
            match serde_json::from_str(&text) {
                Ok(set) => set,
                Err(_) => {
                    reader.push(view.source.finding(&CLI07, &path.node.span, "the file is not JSON"));
                    return None;
                }
            }
        }
        (None, Some(_)) => Json::Object(object(table)),
        _ => {
            reader.push(view.source.finding(&CFG04, &node.span, "one of { keys = [ … ] } and { file = \"PATH\" }"));
            return None;
        }
    };
    let text = set.to_string();
    match check(&set).and_then(|()| ClientKeys::parse(&text).map_err(|fault| (&CLI07, fault.to_string()))) {
        Ok(_) => Some(text),
        Err((lint, why)) => {
            reader.push(view.source.finding(lint, &node.span, why));
            None
        }
    }
}

fn check(set: &Json) -> Result<(), (&'static crate::config::lints::Lint, String)> {
    let keys = set.get("keys").and_then(Json::as_array).ok_or((&CLI07, "has no list `keys`".to_owned()))?;
    for (number, key) in keys.iter().enumerate() {
        let key = key.as_object().ok_or_else(|| (&CLI07, format!("key {} is no object", number + 1)))?;
        if key.get("kty").and_then(Json::as_str) == Some("oct") || PRIVATE.iter().any(|name| key.contains_key(*name)) {
            return Err((&CLI08, format!("key {} holds more than the public half", number + 1)));
        }
    }
    let usable = keys.iter().filter_map(Json::as_object).any(|key| {
        let needs: &[&str] = match key.get("kty").and_then(Json::as_str) {
            Some("RSA") => &["n", "e"],
            Some("EC") => &["crv", "x", "y"],
            Some("OKP") => &["crv", "x"],
            _ => return false,
        };
        let signs = key.get("use").is_none_or(|use_| use_ == "sig");
        signs && needs.iter().all(|name| key.get(*name).is_some_and(Json::is_string))
    });
    if usable { Ok(()) } else { Err((&CLI07, "no signing key of type RSA, EC or OKP that is whole".to_owned())) }
}

fn object(table: &Table) -> Map<String, Json> {
    table.entries.iter().map(|entry| (entry.key.clone(), json(&entry.node))).collect()
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Text(text) => Json::from(text.as_str()),
        Value::Count(count) => Json::from(*count),
        Value::Flag(flag) => Json::from(*flag),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Table(table) => Json::Object(object(table)),
        Value::Other(_) => Json::Null,
    }
}
