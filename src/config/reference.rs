//! `docs/config-findings.md`, made from the table of lints.

use std::fmt::Write as _;

use super::lints::{ALL, Lint, Severity};

const FAMILIES: [(&str, &str); 6] = [
    ("CFG", "Any file"),
    ("SRV", "vestibule.toml"),
    ("DIR", "directories/ID.toml"),
    ("IDP", "idps/ID.toml"),
    ("CLI", "clients/ID.toml"),
    ("SVC", "services/ID.toml"),
];

/// The reference of all findings, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(
        "# Findings of `vestibule check`\n\n\
         This file is generated from the table of findings; don't edit it.\n\n\
         An **error** keeps the folder from being used: a starting server stops with exit code 1, a running one keeps its \
         last good configuration. A **warning** doesn't, unless `check --strict` is asked.\n",
    );
    for (family, files) in FAMILIES {
        let _ = write!(text, "\n## {files}\n");
        for lint in ALL.iter().filter(|lint| lint.code.starts_with(family)) {
            entry(&mut text, lint);
        }
    }
    text
}

fn entry(text: &mut String, lint: &Lint) {
    let severity = match lint.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut help = lint.help.to_owned();
    if let Some(first) = help.get(..1).map(str::to_uppercase) {
        help.replace_range(..1, &first);
    }
    let _ = write!(text, "\n### {}: {} ({severity})\n\n{help}.\n", lint.code, lint.title);
}
