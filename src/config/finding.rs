//! One thing that is wrong in the folder: where, what, and how to mend it.

use std::ops::Range;

use super::lints::{Lint, Severity};

/// A finding of `check`. Nothing in it shows a secret: the excerpt is blanked where one stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Names the kind of finding: `docs/config-findings.md` has one entry for each.
    pub code: &'static str,
    pub severity: Severity,
    /// The file, under the folder's name as it was given.
    pub file: String,
    /// 1-based; 0 if the finding is about the file or the folder as a whole.
    pub line: usize,
    /// 1-based, in characters; 0 like `line`.
    pub column: usize,
    pub title: String,
    /// What stands at the marked place.
    pub label: String,
    /// How to mend it.
    pub help: String,
    /// The line it is about.
    pub excerpt: Option<Excerpt>,
}

/// One line of a file, with the bytes that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    pub text: String,
    pub span: Range<usize>,
}

impl Finding {
    /// A finding about a file or folder as a whole.
    #[must_use]
    pub fn whole(lint: &'static Lint, file: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            code: lint.code,
            severity: lint.severity,
            file: clean(&file.into()),
            line: 0,
            column: 0,
            title: lint.title.to_owned(),
            label: clean(&label.into()),
            help: lint.help.to_owned(),
            excerpt: None,
        }
    }

    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = clean(&title.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = clean(&help.into());
        self
    }

    /// Without the line: what stands there may be a secret.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.excerpt = None;
        self
    }

    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// `file:line:col`, or the file alone.
    #[must_use]
    pub fn place(&self) -> String {
        if self.line == 0 { self.file.clone() } else { format!("{}:{}:{}", self.file, self.line, self.column) }
    }

    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "code": self.code,
            "severity": self.severity.as_str(),
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "title": self.title,
            "label": self.label,
            "help": self.help,
        })
    }
}

/// Values from files may be in it: nothing that breaks a line, and of a text of several lines, which
/// may have swallowed anything, the first only.
fn clean(text: &str) -> String {
    let mut first: String = text.chars().take_while(|c| !crate::base::text::is_control(*c)).take(500).collect();
    if first.len() < text.len() {
        first.push('…');
    }
    first
}
