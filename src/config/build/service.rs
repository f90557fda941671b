//! `services/ID.toml`: read and checked.

use crate::config::Service;
use crate::config::lints::{SVC01, SVC02};
use crate::config::reader::{Form, Reader};
use crate::config::tree::Value;
use crate::config::view::View;

/// Which keys belong to which kind of credential, and which of them it needs.
const AUTH: [(&str, &[&str], &[&str]); 3] = [
    ("bearer", &["token"], &[]),
    ("basic", &["user", "password"], &[]),
    ("oauth2", &["token_url", "client_id", "client_secret"], &["scope", "in"]),
];

pub fn build(view: &View<'_>, reader: &mut Reader<'_>) -> Service {
    let auth = view.table("auth");
    if auth.is_present() {
        credential(&auth, reader);
    }
    Service {
        id: view.source.stem.clone(),
        name: view.text("name"),
        driver: view.text("driver"),
        url: view.text("url"),
        directory: view.text("directory"),
        state: view.text("state"),
        client: view.table("authentication").some_text("client"),
    }
}

fn credential(view: &View<'_>, reader: &mut Reader<'_>) {
    let kind = view.text("kind");
    let Some((_, needed, allowed)) = AUTH.into_iter().find(|(name, ..)| *name == kind) else { return };
    for key in needed.iter().filter(|key| !view.has(key)) {
        reader.push(view.source.finding(&SVC01, &view.anchor(), format!("`{key}` is missing for kind = \"{kind}\"")));
    }
    let all = AUTH.into_iter().flat_map(|(_, needed, allowed)| needed.iter().chain(allowed));
    for key in all.filter(|key| view.has(key) && !needed.contains(key) && !allowed.contains(key)) {
        reader.push(view.source.finding(&SVC02, &view.span(key), format!("not used by kind = \"{kind}\"")));
    }
    for key in ["token", "password", "client_secret"] {
        let _checked = reader.secret(view, key, Form::Line);
    }
    if let Some(Value::Table(headers)) = view.own("headers").map(|entry| &entry.node.value) {
        for header in &headers.entries {
            let _checked = reader.secret_of(view.source, &header.node, Form::Plain);
        }
    }
}
