//! Paths of PATCH (RFC 7644 §3.5.2): an attribute, a filter on its values, a part of them.

use super::error::{ScimError, ScimType};
use super::filter::parse::{self, Name, Syntax};
use super::filter::{Filter, of_members, of_values};
use super::schema::{Attribute, Common, Named, Schema, Sub};

/// A path as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub name: Name,
    pub filter: Option<Syntax>,
    /// Behind the filter: `emails[type eq "work"].value`.
    pub part: Option<Name>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Target<'s> {
    /// An attribute, or those of its values that match, or a part of them.
    Attribute {
        attribute: &'s Attribute,
        filter: Option<Filter>,
        sub: Option<&'static Sub>,
    },
    /// A complex attribute whose parts are attributes of their own: `name`.
    Parent(&'static str),
    /// A whole extension.
    Extension(&'s str),
    /// Members of a group that match, or a part of them.
    Members {
        filter: Option<Filter>,
        part: Option<&'static str>,
    },
    /// What every resource has; nothing of it can be written.
    Common(Common),
    Unconfirmed,
    Unknown,
}

impl Path {
    /// # Errors
    /// 400 `invalidPath`, with the column.
    pub fn parse(text: &str) -> Result<Self, ScimError> {
        match parse::path(text) {
            Ok((name, filter, part)) => Ok(Self { name, filter, part }),
            Err(fault) => {
                let detail = format!("path, column {}: {}", fault.column, fault.mend);
                Err(ScimError::bad(ScimType::InvalidPath, detail))
            }
        }
    }

    /// What it leads to. A name in no schema is no error: sources send such.
    ///
    /// # Errors
    /// 400 `invalidPath`: a filter on what has no values; 400 `invalidFilter`: a filter on a part that the values don't
    /// have.
    pub fn target<'s>(&self, schema: &'s Schema) -> Result<Target<'s>, ScimError> {
        let Some(syntax) = &self.filter else {
            return Ok(match schema.named(&self.name.text) {
                Named::Attribute(attribute, sub) => Target::Attribute { attribute, filter: None, sub },
                Named::Parent(parent) => Target::Parent(parent),
                Named::Extension(urn) => Target::Extension(urn),
                Named::Common(Common::Members(part)) => Target::Members { filter: None, part },
                Named::Common(common) => Target::Common(common),
                Named::Unconfirmed => Target::Unconfirmed,
                Named::Unknown => Target::Unknown,
            });
        };
        match schema.named(&self.name.text) {
            Named::Attribute(attribute, None) if !attribute.subs.is_empty() => {
                let filter = Some(of_values(syntax, attribute)?);
                Ok(match &self.part {
                    None => Target::Attribute { attribute, filter, sub: None },
                    Some(part) => match attribute.sub(&part.text) {
                        Some(sub) => Target::Attribute { attribute, filter, sub: Some(sub) },
                        None => Target::Unknown,
                    },
                })
            }
            Named::Common(Common::Members(None)) => {
                let filter = Some(of_members(syntax, schema)?);
                let Some(part) = &self.part else { return Ok(Target::Members { filter, part: None }) };
                Ok(match schema.named(&format!("members.{}", part.text)) {
                    Named::Common(Common::Members(part)) => Target::Members { filter, part },
                    _ => Target::Unknown,
                })
            }
            Named::Common(common) => Ok(Target::Common(common)),
            Named::Attribute(..) | Named::Parent(_) | Named::Extension(_) => {
                let detail = format!(
                    "path, column {}: only an attribute whose values have parts takes a filter in brackets",
                    self.name.column
                );
                Err(ScimError::bad(ScimType::InvalidPath, detail))
            }
            Named::Unconfirmed => Ok(Target::Unconfirmed),
            Named::Unknown => Ok(Target::Unknown),
        }
    }
}
