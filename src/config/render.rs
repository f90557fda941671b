//! Findings as text, in the look of rustc.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::finding::Finding;
use super::lints::Severity;

/// Whether the text goes to a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Styled {
    Plain,
    Colours,
}

/// All findings one after the other, and a last line that counts them.
#[must_use]
pub fn render(findings: &[Finding], styled: Styled) -> String {
    let renderer = match styled {
        Styled::Plain => Renderer::plain(),
        Styled::Colours => Renderer::styled(),
    };
    let mut text = String::new();
    for finding in findings {
        text.push_str(&one(finding, &renderer));
        text.push_str("\n\n");
    }
    text.push_str(&summary(findings));
    text.push('\n');
    text
}

fn one(finding: &Finding, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(finding.title.as_str()).id(finding.code);
    let group = match &finding.excerpt {
        Some(excerpt) => title.element(
            Snippet::source(excerpt.text.as_str())
                .line_start(finding.line)
                .path(finding.file.as_str())
                .annotation(AnnotationKind::Primary.span(excerpt.span.clone()).label(finding.label.as_str())),
        ),
        None => title.element(origin(finding)).element(Level::NOTE.message(finding.label.as_str())),
    };
    let group = if finding.help.is_empty() { group } else { group.element(Level::HELP.message(finding.help.as_str())) };
    renderer.render(&[group]).lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn origin(finding: &Finding) -> Origin<'_> {
    let origin = Origin::path(finding.file.as_str());
    if finding.line == 0 { origin } else { origin.line(finding.line).char_column(finding.column) }
}

fn summary(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = findings.len() - errors;
    let counted = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    match (errors, warnings) {
        (0, 0) => "no findings".to_owned(),
        (0, w) => counted(w, "warning"),
        (e, 0) => counted(e, "error"),
        (e, w) => format!("{}, {}", counted(e, "error"), counted(w, "warning")),
    }
}
