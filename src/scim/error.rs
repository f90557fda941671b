//! What a SCIM client is told (RFC 7644 §3.12, RFC 9865 §2).

use serde_json::{Value, json};

use super::urn;

/// The words of `scimType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScimType {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
    InvalidCursor,
    ExpiredCursor,
    InvalidCount,
}

impl ScimType {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

/// A refusal. `detail` names the attribute, the shape of what came and what would be accepted; never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {detail}")]
pub struct ScimError {
    pub status: u16,
    pub scim_type: Option<ScimType>,
    pub detail: String,
    /// The attribute that it is about, for the count of refusals.
    pub attribute: Option<String>,
}

impl ScimError {
    /// 400 with a `scimType`.
    #[must_use]
    pub fn bad(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self { status: 400, scim_type: Some(scim_type), detail: detail.into(), attribute: None }
    }

    /// 400 `invalidValue` about an attribute.
    #[must_use]
    pub fn value(attribute: &str, detail: impl Into<String>) -> Self {
        Self::bad(ScimType::InvalidValue, detail).about(attribute)
    }

    /// 409 `uniqueness` about an attribute.
    #[must_use]
    pub fn taken(attribute: &str, detail: impl Into<String>) -> Self {
        Self { status: 409, scim_type: Some(ScimType::Uniqueness), detail: detail.into(), attribute: None }
            .about(attribute)
    }

    /// A status without `scimType`.
    #[must_use]
    pub fn status(status: u16, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into(), attribute: None }
    }

    #[must_use]
    pub fn about(self, attribute: &str) -> Self {
        Self { attribute: Some(attribute.to_owned()), ..self }
    }

    /// The body. `status` is text (RFC 7644 §3.12).
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = json!({
            "schemas": [urn::ERROR],
            "status": self.status.to_string(),
            "detail": self.detail,
        });
        if let (Some(scim_type), Some(fields)) = (self.scim_type, body.as_object_mut()) {
            fields.insert("scimType".to_owned(), scim_type.as_str().into());
        }
        body
    }
}
