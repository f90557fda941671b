//! Filters (RFC 7644 §3.4.2.2, errata 4670, 4690, 7322): text → tree → tree of attributes that there are.

use serde_json::Value;

use super::error::{ScimError, ScimType};
use super::guid;
use super::schema::Schema;
use crate::identity::user::Attributes;

pub mod parse;
mod instant;
mod compare;
mod resolve;
mod evaluate;
#[cfg(test)]
pub(in crate::scim) mod tests;

pub use instant::nanoseconds;
pub use parse::{FILTER_CHARS_MAX, Syntax, SyntaxFault};
pub use resolve::{of_members, of_values};

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A confirmed attribute by key, perhaps a part of its values. Of a complex one without part `value` is meant.
    Attribute {
        key: String,
        sub: Option<&'static str>,
    },
    Common(CommonOperand),
}

/// What every resource has, of what can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommonOperand {
    Id,
    ResourceType,
    Created,
    LastModified,
    Version,
    /// The ids of a user's direct groups.
    Groups,
    /// The ids of a group's members.
    Members,
}

/// A filter whose attributes are all known to the schema, with values of their kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// `eq` with `""` matches nothing; `eq null` is `Not(Present)`.
    Compare {
        operand: Operand,
        operator: Operator,
        value: Literal,
    },
    Present(Operand),
    /// `emails[type eq "work" and value co "x"]`: all terms for the same value. Operands inside are parts of `key`.
    Of {
        key: String,
        filter: Box<Filter>,
    },
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// Matches nothing.
    Never,
}

/// What it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// With the case rule of its attribute.
    Text {
        text: String,
        exact: bool,
    },
    Boolean(bool),
    Number(f64),
    /// Nanoseconds since the epoch.
    Instant(i128),
}

/// The facts of a resource that a filter asks about and that are no attributes.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub id: &'a str,
    /// Of a user; a group is always.
    pub active: bool,
    pub created_ms: i64,
    pub updated_ms: i64,
    pub version: u64,
}

impl Operator {
    /// By its name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(name))
    }

    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

impl Operand {
    fn is_external_id(&self) -> bool {
        matches!(self, Self::Attribute { key, sub: None } if key == "externalId")
    }
}

impl SyntaxFault {
    fn refusal(self) -> ScimError {
        ScimError::bad(ScimType::InvalidFilter, format!("filter, column {}: {}", self.column, self.mend))
    }
}

impl Filter {
    /// Reads a filter for resources of a schema. `active` is an attribute of that key; `meta.resourceType` is decided
    /// here; of a complex attribute without part `value` is compared, and stands in the operand.
    ///
    /// # Errors
    /// 400 `invalidFilter`: syntax, an attribute in no schema or not confirmed, an operator that the attribute doesn't
    /// have, 2,000 characters, 64 terms or depth 16 exceeded. The text names the column, never a value.
    pub fn parse(text: &str, schema: &Schema) -> Result<Self, ScimError> {
        let syntax = parse::filter(text).map_err(SyntaxFault::refusal)?;
        let filter = resolve::of_resources(&syntax, schema)?;
        Ok(if schema.decodes_guids { filter.with_guids() } else { filter })
    }

    /// Asks for the GUID where an externalId is asked for in the base64 in which its source sends it.
    fn with_guids(self) -> Self {
        let all = |all: Vec<Self>| all.into_iter().map(Self::with_guids).collect();
        match self {
            Self::And(terms) => Self::And(all(terms)),
            Self::Or(terms) => Self::Or(all(terms)),
            Self::Not(inner) => Self::Not(Box::new(inner.with_guids())),
            Self::Compare {
                operand: operand @ Operand::Attribute { .. },
                operator: operator @ (Operator::Eq | Operator::Ne),
                value: Literal::Text { text, exact },
            } if operand.is_external_id() => {
                let text = guid::decode(&text).unwrap_or(text);
                Self::Compare { operand, operator, value: Literal::Text { text, exact } }
            }
            other => other,
        }
    }

    /// Whether a resource matches. Groups and members are not asked here: they are `false`.
    #[must_use]
    pub fn matches(&self, attributes: &Attributes, facts: &Facts<'_>) -> bool {
        evaluate::resource(self, attributes, facts)
    }

    /// Whether one value of a multi-valued attribute matches, for [`Filter::Of`] and for paths.
    #[must_use]
    pub fn matches_value(&self, value: &Value) -> bool {
        evaluate::value(self, value)
    }
}
