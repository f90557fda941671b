//! The trace of one login: what was decided, why, and how long it took. Redacted by type: a
//! [`Fact`] can be made of ids, numbers, our own words and names of claims, of a hint only by its shape.

use serde::{Deserialize, Serialize};

use crate::base::text::LoginHint;
use crate::base::{Moment, Span};

/// The most characters of an identity provider's own words that a trace keeps.
const FOREIGN_CHARS_MAX: usize = 400;

/// One login, from the authorization request to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// What the error page shows and `explain login` asks for: 128 random bits.
    pub reference: String,
    pub started: Moment,
    pub steps: Vec<Step>,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Still under way, or left by the person.
    Open,
    SignedIn,
    Refused,
    Failed,
}

impl Outcome {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::SignedIn => "signed_in",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Time since the login's start.
    pub after: Span,
    /// What was done: `hint`, `upstream_request`, `id_token`, `match`, …
    pub what: String,
    pub facts: Vec<(String, Fact)>,
}

/// Something that may be seen by an admin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Our own words, or an id of our own.
    Word(String),
    Count(i64),
    /// Names of claims, parameters, scopes; never their values.
    Names(Vec<String>),
    /// A hint by its shape.
    Hint(String),
    /// An identity provider's own words, cut, without control characters.
    Foreign(String),
}

impl Fact {
    #[must_use]
    pub fn word(text: impl Into<String>) -> Self {
        Self::Word(text.into())
    }

    /// The shape of a hint: its length, and its domain only if that is one of ours.
    #[must_use]
    pub fn hint(hint: &LoginHint, known_domain: Option<&str>) -> Self {
        let characters = hint.as_str().chars().count();
        Self::Hint(match (known_domain, hint.domain()) {
            (Some(domain), _) => format!("{characters} characters, domain {domain}"),
            (None, Some(_)) => format!("{characters} characters, with a domain that is not the directory's"),
            (None, None) => format!("{characters} characters, without a domain"),
        })
    }

    #[must_use]
    pub fn foreign(text: &str) -> Self {
        Self::Foreign(text.chars().filter(|c| !crate::base::text::is_control(*c)).take(FOREIGN_CHARS_MAX).collect())
    }
}

impl Trace {
    #[must_use]
    pub const fn begin(reference: String, started: Moment) -> Self {
        Self { reference, started, steps: Vec::new(), outcome: Outcome::Open }
    }

    pub fn step(&mut self, now: Moment, what: &'static str, facts: Vec<(&'static str, Fact)>) {
        let facts = facts.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect();
        self.steps.push(Step { after: now.since(self.started), what: what.to_owned(), facts });
    }
}
