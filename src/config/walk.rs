//! Checks a file's tree against its table of keys: unknown and missing keys, wrong types, and
//! whatever is wrong with one value alone.

use std::ops::Range;

use super::finding::Finding;
use super::lints::{CFG02, CFG03, CFG05, CFG09, CFG15};
use super::shape::{Key, Kind, Need, find};
use super::source::Source;
use super::spelling::nearest;
use super::tree::{Entry, Node, Table, Value};
use super::value;

/// Everything wrong with one file for itself.
pub fn check(source: &Source, table: &Table, keys: &'static [Key]) -> Vec<Finding> {
    let mut walk = Walk { source, top: keys, findings: Vec::new() };
    walk.table(table, keys, &(0..0), "");
    walk.findings
}

/// The bytes of all secrets in the open.
#[must_use]
pub fn secrets(table: &Table, keys: &'static [Key]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for entry in &table.entries {
        let Some(key) = find(keys, &entry.key) else { continue };
        match (&key.kind, &entry.node.value) {
            (Kind::Table(inner), Value::Table(table)) => found.extend(secrets(table, inner)),
            (Kind::Secrets, Value::Table(table)) => table.entries.iter().for_each(|e| bare(&e.node, &mut found)),
            (Kind::Jwks, Value::Table(table)) => {
                let others = table.entries.iter().filter(|e| e.key != "file");
                found.extend(others.map(|e| e.node.span.clone()));
            }
            (Kind::LiveSecrets, Value::List(items)) => items.iter().for_each(|item| bare(item, &mut found)),
            (Kind::Secret | Kind::LiveSecrets | Kind::SecretPem | Kind::Secrets | Kind::Jwks | Kind::Table(_), _) => {
                bare(&entry.node, &mut found)
            }
            _ => {}
        }
    }
    found
}

/// `name.givenName = "given_name"` in a table of texts is one key with a dot, not a table.
pub fn flatten_maps(table: &mut Table, keys: &'static [Key]) {
    for entry in &mut table.entries {
        match (find(keys, &entry.key).map(|key| &key.kind), &mut entry.node.value) {
            (Some(Kind::Table(inner)), Value::Table(table)) => flatten_maps(table, inner),
            (Some(Kind::Map), Value::Table(table)) => {
                let mut flat = Vec::new();
                flatten("", std::mem::take(&mut table.entries), &mut flat);
                table.entries = flat;
            }
            _ => {}
        }
    }
}

fn flatten(path: &str, entries: Vec<Entry>, flat: &mut Vec<Entry>) {
    for mut entry in entries {
        entry.key = joined(path, &entry.key);
        match entry.node.value {
            Value::Table(table) => flatten(&entry.key, table.entries, flat),
            _ => flat.push(entry),
        }
    }
}

/// Anything at a secret's place but the names in `{ env = … }` and `{ file = … }`.
fn bare(node: &Node, found: &mut Vec<Range<usize>>) {
    match &node.value {
        Value::Table(table) => {
            let others = table.entries.iter().filter(|e| e.key != "env" && e.key != "file");
            found.extend(others.map(|e| e.node.span.clone()));
        }
        _ => found.push(node.span.clone()),
    }
}

/// The label of an unknown key that resembles none of the known ones.
pub const UNKNOWN: &str = "unknown";

struct Walk<'a> {
    source: &'a Source,
    top: &'static [Key],
    findings: Vec<Finding>,
}

impl Walk<'_> {
    fn table(&mut self, table: &Table, keys: &'static [Key], anchor: &Range<usize>, path: &str) {
        for entry in &table.entries {
            match find(keys, &entry.key) {
                Some(key) => self.value(&entry.node, key, &entry.key_span, &joined(path, &entry.key)),
                None => self.unknown(&entry.key, &entry.key_span, keys, path),
            }
        }
        for key in keys.iter().filter(|key| key.need == Need::Required && table.get(key.name).is_none()) {
            let finding = self.source.finding(
                &CFG05,
                anchor,
                format!("`{}` is missing here ({})", key.name, key.kind.expected()),
            );
            let title = format!("`{}` is missing and has no default", joined(path, key.name));
            self.findings.push(finding.title(title).help(key.doc));
        }
    }

    fn unknown(&mut self, name: &str, span: &Range<usize>, keys: &'static [Key], path: &str) {
        let near = nearest(name, keys.iter().map(|key| key.name));
        let label = near.map_or_else(|| UNKNOWN.to_owned(), |near| format!("did you mean `{near}`?"));
        let finding = self.source.key_finding(&CFG02, span, label);
        let finding = finding.title(format!("unknown key `{}`", value::shown(&joined(path, name))));
        self.findings.push(if near.is_none() && !path.is_empty() && find(self.top, name).is_some() {
            finding.help(format!("`{name}` belongs to the top of the file, above the first [table]"))
        } else {
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            finding.help(format!("known here: {}", names.join(", ")))
        });
    }

    fn value(&mut self, node: &Node, key: &'static Key, key_span: &Range<usize>, path: &str) {
        match (&key.kind, &node.value) {
            (Kind::Table(inner), Value::Table(table)) => self.table(table, inner, key_span, path),
            (Kind::LiveSecrets, Value::List(items)) => {
                if items.is_empty() {
                    let label = "expected one secret, or two".to_owned();
                    self.findings.push(value::bad(self.source, &node.span, path, label));
                }
                items.iter().for_each(|item| self.secret(item, &Kind::Secret, path));
            }
            (Kind::Secret | Kind::LiveSecrets | Kind::SecretPem | Kind::SecretUrl, _) => {
                self.secret(node, &key.kind, path);
            }
            (Kind::Secrets, Value::Table(table)) => {
                for entry in &table.entries {
                    self.controls(&entry.key, &entry.key_span);
                    self.secret(&entry.node, &Kind::Secret, &joined(path, &entry.key));
                }
            }
            (Kind::Map, Value::Table(table)) => {
                for entry in &table.entries {
                    self.controls(&entry.key, &entry.key_span);
                    match &entry.node.value {
                        Value::Text(text) => self.controls(text, &entry.node.span),
                        other => self.wrong_type(&entry.node.span, &Kind::Text, other, path),
                    }
                }
            }
            (Kind::Jwks, Value::Table(_)) => {}
            (kind, Value::List(items)) if kind.is_list() => {
                for item in items {
                    match &item.value {
                        Value::Text(text) => self.text(text, kind, &item.span, path),
                        other => self.wrong_type(&item.span, &Kind::Text, other, path),
                    }
                }
            }
            (kind, Value::Text(text)) if kind.is_text() => self.text(text, kind, &node.span, path),
            (Kind::Flag, Value::Flag(_)) | (Kind::Share, Value::Count(0..)) => {}
            (Kind::Count(least, most), Value::Count(count)) => {
                if !(least..=most).contains(&count) {
                    let label = format!("from {least} to {most}");
                    self.findings.push(value::bad(self.source, &node.span, path, label));
                }
            }
            (kind, other) => self.wrong_type(&node.span, kind, other, path),
        }
    }

    fn text(&mut self, text: &str, kind: &'static Kind, span: &Range<usize>, path: &str) {
        self.controls(text, span);
        if let Some(finding) = value::check(self.source, text, kind, span, path) {
            self.findings.push(finding);
        }
    }

    fn controls(&mut self, text: &str, span: &Range<usize>) {
        if text.chars().any(crate::base::text::is_control) {
            self.findings.push(self.source.finding(&CFG15, span, "holds a line break or another control character"));
        }
    }

    fn secret(&mut self, node: &Node, kind: &Kind, path: &str) {
        match &node.value {
            Value::Text(text) if matches!(kind, Kind::SecretUrl) => {
                self.controls(text, &node.span);
                if value::has_password(text) {
                    self.findings.push(self.source.finding(&CFG09, &node.span, "has a password in it"));
                }
            }
            Value::Text(_) => {
                self.findings.push(self.source.finding(&CFG09, &node.span, "whoever can read the file has it"));
            }
            Value::Table(table) => self.secret_table(table, &node.span, path),
            other => self.wrong_type(&node.span, kind, other, path),
        }
    }

    fn secret_table(&mut self, table: &Table, span: &Range<usize>, path: &str) {
        for entry in &table.entries {
            match (entry.key.as_str(), &entry.node.value) {
                ("env" | "file", Value::Text(_)) => {}
                ("env" | "file", other) => self.wrong_type(&entry.node.span, &Kind::Text, other, path),
                // Not named: it may be the secret itself.
                _ => {
                    let finding = self.source.unsure_finding(&CFG02, &entry.key_span, "neither `env` nor `file`");
                    self.findings.push(finding.title(format!("unknown key in `{}`", value::shown(path))));
                }
            }
        }
        let sources = table.entries.iter().filter(|e| e.key == "env" || e.key == "file").count();
        if sources != 1 {
            self.findings.push(value::bad(
                self.source,
                span,
                path,
                "one of { env = \"NAME\" } and { file = \"PATH\" }".to_owned(),
            ));
        }
    }

    fn wrong_type(&mut self, span: &Range<usize>, kind: &Kind, found: &Value, path: &str) {
        let label = format!("this is {}, expected {}", found.kind(), kind.expected());
        let finding = self.source.finding(&CFG03, span, label);
        self.findings.push(finding.title(format!("`{}` has the wrong type", value::shown(path))));
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
