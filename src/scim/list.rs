//! What a list request asks for (RFC 7644 §3.4.2, RFC 9865).

use super::error::ScimError;
use super::filter::{Filter, Operand};
use super::schema::Schema;

/// Page sizes: what is given if none is asked for, and the most.
pub const PAGE_DEFAULT: u32 = 100;
pub const PAGE_MAX: u32 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// `startIndex`, at least 1.
    Index(u64),
    /// `cursor`, sealed; empty: the first page (RFC 9865 §2).
    Cursor(String),
}

/// A list request, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRequest {
    pub filter: Option<Filter>,
    /// The filter as it came: part of what a position in a walk belongs to.
    pub filter_text: String,
    pub sort: Option<(Operand, Order)>,
    pub begin: Begin,
    /// 0: only the total.
    pub count: u32,
    pub selection: Selection,
}

/// `attributes` or `excludedAttributes` (RFC 7644 §3.9): keys and parents as they came, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    #[default]
    Default,
    Only(Vec<String>),
    Without(Vec<String>),
}

impl ListRequest {
    /// Of the query parameters, decoded, in their order. Unknown ones are ignored.
    ///
    /// # Errors
    /// 400: a filter, sort or number that can't be read; `attributes` and `excludedAttributes` at once.
    pub fn of_query(pairs: &[(String, String)], schema: &Schema) -> Result<Self, ScimError> {
        let _ = (pairs, schema);
        Err(ScimError::status(501, "not built yet"))
    }

    /// Of the body of `.search` (RFC 7644 §3.4.3).
    ///
    /// # Errors
    /// As [`ListRequest::of_query`], and 400 `invalidSyntax`.
    pub fn of_body(body: &serde_json::Value, schema: &Schema) -> Result<Self, ScimError> {
        let _ = (body, schema);
        Err(ScimError::status(501, "not built yet"))
    }
}

impl Selection {
    /// Of `attributes` and `excludedAttributes`, as they came.
    ///
    /// # Errors
    /// 400 `invalidValue` if both are there.
    pub fn of(attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, ScimError> {
        let _ = (attributes, excluded);
        Err(ScimError::status(501, "not built yet"))
    }

    /// Whether `members` of a group or `groups` of a user are wanted, which cost a read of their own.
    #[must_use]
    pub fn wants(&self, attribute: &str) -> bool {
        let _ = attribute;
        false
    }
}
