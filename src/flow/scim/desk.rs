//! Where a request is done: its pass, its moment, what it says of the answer; and what an answer is made of.

use std::fmt;
use std::pin::Pin;

use futures_util::Stream;
use serde_json::Value;

use super::pass::Pass;
use super::refusal::Refusal;
use crate::directory::roster::Act;
use crate::flow::ports::{Ports, Request, Unavailable};
use crate::scim::list::Selection;
use crate::scim::notes::Notes;
use crate::scim::reading::Reading;
use crate::scim::render::Rendering;
use crate::scim::schema::{ResourceType, Schema};

/// The entity tags of a conditional header (RFC 7644 §3.14).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tags {
    /// There is no such header.
    #[default]
    None,
    /// `*`
    Any,
    Versions(Vec<u64>),
}

impl Tags {
    /// Whether a resource of this version is meant; with no header every one is.
    #[must_use]
    pub fn hold(&self, version: u64) -> bool {
        match self {
            Self::None | Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }

    #[must_use]
    pub fn is_there(&self) -> bool {
        *self != Self::None
    }
}

/// What a request says of its answer.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    pub selection: Selection,
    pub if_match: Tags,
    pub if_none_match: Tags,
}

/// A body that is made while it is sent.
pub struct Pieces(pub Pin<Box<dyn Stream<Item = Result<Vec<u8>, Unavailable>>>>);

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pieces")
    }
}

/// What is answered.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub body: Option<Vec<u8>>,
    /// Instead of a body: one that is too large to be held.
    pub pieces: Option<Pieces>,
    /// Of the resource, for `ETag`.
    pub version: Option<u64>,
    /// Of a resource that is new.
    pub location: Option<String>,
}

impl Answer {
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    #[must_use]
    pub fn of(status: u16, body: &Value) -> Self {
        // Texts and numbers only: this can't fail.
        Self::json(status, serde_json::to_vec(body).unwrap_or_default())
    }

    /// A body that is JSON already.
    #[must_use]
    pub fn json(status: u16, body: Vec<u8>) -> Self {
        Self { status, body: Some(body), ..Self::default() }
    }
}

/// A request with its pass.
pub struct Desk<'a> {
    pub ports: &'a Ports,
    pub request: &'a Request,
    pub pass: &'a Pass,
    pub terms: &'a Terms,
}

impl Desk<'_> {
    pub(super) fn schema(&self, of: ResourceType) -> &Schema {
        match of {
            ResourceType::User => &self.pass.schemas().user,
            ResourceType::Group => &self.pass.schemas().group,
        }
    }

    pub(super) fn reading(&self, of: ResourceType) -> Reading<'_> {
        Reading::new(self.pass.directory(), self.schema(of))
    }

    pub(super) fn rendering<'s>(&'s self, of: ResourceType, selection: &'s Selection) -> Rendering<'s> {
        Rendering { schema: self.schema(of), base: self.pass.base(), selection }
    }

    pub(super) fn act(&self, what: &'static str, changes: String) -> Act {
        Act { at: self.request.now, by: self.pass.credential().to_owned(), what, changes }
    }

    pub(super) fn note(&self, notes: &Notes) {
        self.ports.sightings.notes(self.pass.scope(), notes, self.request.now);
    }

    pub(super) fn wrote(&self, outcome: &'static str) {
        self.ports.metrics.scim_written(&self.pass.directory().id, outcome);
    }

    /// Whether `If-Match` and `If-None-Match` let a change of this version through (RFC 9110 §13.1).
    pub(super) fn matches(&self, version: u64) -> Result<(), Refusal> {
        if self.terms.if_match.hold(version) && !self.knows(version) {
            Ok(())
        } else {
            Err(Refusal::changed_meanwhile())
        }
    }

    /// Whether the client has this version already.
    pub(super) fn knows(&self, version: u64) -> bool {
        self.terms.if_none_match.is_there() && self.terms.if_none_match.hold(version)
    }
}
