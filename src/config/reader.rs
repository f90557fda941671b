//! What stands outside the files but is named in them: environment variables, secret files, keys
//! and certificates. Each is read once.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use super::folder::{FILE_BYTES_MAX, read_bounded};
use super::lints::{CFG10, CFG11, CFG15, CFG17};
use super::source::Source;
use super::tree::{Node, Value};
use super::view::{View, as_text};
use crate::base::{Digest, Secret};

/// The environment, handed in.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

pub struct Reader<'a> {
    /// The config folder, absolute: where relative paths start.
    pub folder: &'a Path,
    env: Env<'a>,
    pub findings: Vec<Finding>,
    /// Files named in the folder's files.
    pub named_files: Vec<PathBuf>,
    /// Digests of what was read besides the folder's files.
    pub beside: Vec<Digest>,
}

/// What a secret may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One line that people or machines type; short ones are found.
    Line,
    /// One line that says something else, such as an address or a hash.
    Plain,
    /// A file's text with its line breaks.
    Lines,
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new(folder: &'a Path, env: Env<'a>) -> Self {
        Self { folder, env, findings: Vec::new(), named_files: Vec::new(), beside: Vec::new() }
    }

    pub fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    #[must_use]
    pub fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }

    /// The secret under `key`, if the file has one that can be had.
    pub fn secret(&mut self, view: &View<'_>, key: &str, form: Form) -> Option<Secret> {
        let entry = view.own(key)?;
        self.secret_of(view.source, &entry.node, form)
    }

    /// The secrets under `key`, one or a list of them, each with its place. Those that can't be had are findings.
    pub fn secrets(&mut self, view: &View<'_>, key: &str, form: Form) -> Vec<(Secret, Range<usize>)> {
        let nodes = match view.own(key).map(|entry| &entry.node) {
            None => return Vec::new(),
            Some(Node { value: Value::List(items), .. }) => items.iter().collect(),
            Some(node) => vec![node],
        };
        let read = |node: &Node| Some((self.secret_of(view.source, node, form)?, node.span.clone()));
        nodes.into_iter().filter_map(read).collect()
    }

    /// The secret that a value names or is.
    pub fn secret_of(&mut self, source: &Source, node: &Node, form: Form) -> Option<Secret> {
        let text = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Table(table) => {
                if let Some(name) = table.get("env") {
                    self.variable(source, as_text(&name.node)?, &name.node.span)?
                } else {
                    let path = table.get("file")?;
                    let text = self.file(source, as_text(&path.node)?, &path.node.span, &CFG10)?;
                    text.trim_end_matches(['\n', '\r']).to_owned()
                }
            }
            _ => return None,
        };
        self.beside.push(Digest::of(&text));
        if text.is_empty() {
            self.push(source.finding(&CFG10, &node.span, "it is empty"));
            return None;
        }
        if form != Form::Lines && text.chars().any(crate::base::text::is_control) {
            self.push(source.finding(
                &CFG15,
                &node.span,
                "the secret has a line break or another control character in it",
            ));
            return None;
        }
        if form == Form::Line && text.chars().count() < 16 {
            self.push(source.finding(&CFG11, &node.span, "shorter than 16 characters"));
        }
        Some(Secret::new(text))
    }

    fn variable(&mut self, source: &Source, name: &str, span: &Range<usize>) -> Option<String> {
        let mut bytes = name.bytes();
        let plain = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !plain {
            // Perhaps the secret itself: neither named nor shown.
            let finding = source.finding(&CFG10, &(span.start..span.start), "not the name of an environment variable");
            self.push(finding.hidden());
            return None;
        }
        let value = (self.env)(name);
        if value.is_none() {
            self.push(source.finding(&CFG10, span, format!("the environment variable {name} is not set")));
        }
        value
    }

    /// The text of a file named in a file.
    pub fn file(
        &mut self,
        source: &Source,
        path: &str,
        span: &Range<usize>,
        lint: &'static super::lints::Lint,
    ) -> Option<String> {
        let full = self.path(path);
        let read = readable(&full);
        self.named_files.push(full);
        match read {
            Ok(text) => {
                self.beside.push(Digest::of(&text));
                Some(text)
            }
            Err(why) => {
                self.beside.push(Digest::of(&why));
                self.push(source.finding(lint, span, why));
                None
            }
        }
    }

    /// The full path of a readable file in which `mark` stands.
    pub fn marked(&mut self, view: &View<'_>, key: &str, mark: &str) -> Option<PathBuf> {
        let path = view.some_text(key)?;
        let text = self.file(view.source, &path, &view.span(key), &CFG17)?;
        if !text.contains(mark) {
            self.push(view.source.finding(&CFG17, &view.span(key), format!("no `{mark}` in it: not PEM")));
        }
        Some(self.path(&path))
    }

    /// The full paths of files with certificates in PEM.
    pub fn certificates(&mut self, view: &View<'_>, key: &str) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        for (path, span) in view.items(key) {
            let Some(text) = self.file(view.source, &path, &span, &CFG17) else { continue };
            if !text.contains("-----BEGIN CERTIFICATE-----") {
                self.push(view.source.finding(&CFG17, &span, "no certificate in PEM in it"));
            }
            paths.push(self.path(&path));
        }
        paths
    }
}

fn readable(path: &Path) -> Result<String, String> {
    let meta = std::fs::metadata(path).map_err(|fault| match fault.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("can't be read: {fault}"),
    })?;
    if !meta.is_file() {
        return Err("not a regular file".to_owned());
    }
    let bytes = read_bounded(path).map_err(|fault| format!("can't be read: {fault}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err("more than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "not text in UTF-8".to_owned())
}
