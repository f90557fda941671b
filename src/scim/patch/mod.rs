//! PATCH (RFC 7644 §3.5.2) in every form in which sources send it: all operations in order, or none.

mod operation;
mod members;
mod values;

use serde_json::Value;

use self::operation::{Op, Operation};
use self::values::{Spot, Work};
use super::body::{bounded, unconfirmed};
use super::error::{ScimError, ScimType};
use super::notes::Notes;
use super::path::{Path, Target};
use super::reading::{Draft, Reading};
use super::schema::{Attribute, Common, Mutability};
use super::value::{Asserted, blank, is_blank, read};

pub use self::members::{FILTERS_MAX, MemberStep};

/// The most operations of one PATCH.
pub const USER_OPERATIONS_MAX: usize = 200;
pub const GROUP_OPERATIONS_MAX: usize = 10_000;

/// What all operations of a PATCH made.
#[derive(Clone, Debug, PartialEq)]
pub struct Patched {
    pub draft: Draft,
    /// Of a group, in the order of the request.
    pub members: Vec<MemberStep>,
    pub notes: Notes,
}

/// Carries out a PATCH on a copy. Whether the result may stand is not asked here.
///
/// # Errors
/// 400 with the number of the operation, the attribute and the mend.
pub fn carry_out(reading: &Reading<'_>, current: &Draft, body: &Value, most: usize) -> Result<Patched, ScimError> {
    bounded(body)?;
    let mut patched = Patched { draft: current.clone(), members: Vec::new(), notes: Notes::default() };
    let operations = operation::of_body(body, most, &mut patched.notes)?;
    let mut patch = Patch { reading, patched, touched: Vec::new() };
    for (index, operation) in operations.iter().enumerate() {
        patch.operation(operation).map_err(|fault| operation::at(index, fault))?;
    }
    let touched = std::mem::take(&mut patch.touched);
    for attribute in touched {
        patch.work().prune(attribute);
    }
    Ok(patch.patched)
}

/// Who named a target: a path answers for what it names; a name in a body is passed over if it can't be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Path,
    Body,
}

struct Patch<'a, 'r> {
    reading: &'a Reading<'r>,
    patched: Patched,
    /// Attributes of several values that operations changed.
    touched: Vec<&'r Attribute>,
}

type Said<'b> = (Op, Option<&'b Value>);

impl<'r> Patch<'_, 'r> {
    fn work(&mut self) -> Work<'_, 'r> {
        Work { reading: self.reading, attributes: &mut self.patched.draft.attributes, notes: &mut self.patched.notes }
    }

    fn operation(&mut self, operation: &Operation<'_>) -> Result<(), ScimError> {
        if let Some(path) = operation.path {
            let target = Path::parse(path)?.target(self.reading.schema)?;
            return self.target((path, target), By::Path, (operation.op, operation.value));
        }
        match (operation.op, operation.value) {
            (Op::Remove, _) => {
                Err(ScimError::bad(ScimType::NoTarget, "`remove` needs a `path` that says what to remove"))
            }
            (op, Some(Value::Object(fields))) => {
                fields.iter().try_for_each(|(name, value)| self.named(name, (op, Some(value))))
            }
            _ => Err(ScimError::bad(
                ScimType::InvalidValue,
                "without `path`, `value` must be an object with the names of attributes",
            )),
        }
    }

    /// A name of an object without path: of an attribute, dotted, with a URN, or a whole path.
    fn named(&mut self, name: &str, said: Said<'_>) -> Result<(), ScimError> {
        match Path::parse(name) {
            Ok(path) => self.target((name, path.target(self.reading.schema)?), By::Body, said),
            Err(_) => {
                self.patched.notes.unknown(attribute_of(name));
                Ok(())
            }
        }
    }

    fn target(&mut self, (name, target): (&str, Target<'r>), by: By, said: Said<'_>) -> Result<(), ScimError> {
        match target {
            Target::Attribute { attribute, filter, sub } => {
                self.attribute(Spot { attribute, filter: filter.as_ref(), sub }, by, said, attribute)
            }
            Target::Parent(parent) => {
                let belongs = |attribute: &&Attribute| attribute.parent == Some(parent);
                self.whole(parent, &format!("{parent}."), &belongs, said)
            }
            Target::Extension(urn) => {
                let belongs = |attribute: &&Attribute| attribute.schema == urn;
                self.whole(urn, &format!("{urn}:"), &belongs, said)
            }
            Target::Members { filter, part } => self.members((filter, part), by, said),
            Target::Common(common) => self.common(name, common, by),
            Target::Unconfirmed => {
                unconfirmed(attribute_of(name), said.1.unwrap_or(&Value::Bool(true)), &mut self.patched.notes);
                Ok(())
            }
            Target::Unknown => {
                let part = name.rsplit_once("].").map(|(_, part)| format!("{}.{part}", attribute_of(name)));
                self.patched.notes.unknown(part.as_deref().unwrap_or_else(|| attribute_of(name)));
                Ok(())
            }
        }
    }

    /// A password is passed over, and so are `schemas`, which follow from what there is.
    fn common(&mut self, name: &str, common: Common, by: By) -> Result<(), ScimError> {
        match (common, by) {
            (Common::Password, _) => Ok(()),
            (Common::Schemas, _) | (_, By::Body) => {
                self.patched.notes.read_only(attribute_of(name));
                Ok(())
            }
            (_, By::Path) => Err(read_only(attribute_of(name))),
        }
    }
}

impl<'r> Patch<'_, 'r> {
    fn attribute(&mut self, spot: Spot<'_>, by: By, said: Said<'_>, attribute: &'r Attribute) -> Result<(), ScimError> {
        let fixed = attribute.mutability == Mutability::ReadOnly
            || spot.sub.is_some_and(|sub| sub.mutability == Mutability::ReadOnly);
        match (fixed, by) {
            (true, By::Path) => return Err(read_only(&attribute.key)),
            (true, By::Body) => {
                self.patched.notes.read_only(&attribute.key);
                return Ok(());
            }
            (false, _) => {}
        }
        if said.0 == Op::Remove && attribute.required() {
            let key = &attribute.key;
            let detail = format!("`{key}` can't be removed: replace it");
            return Err(ScimError::bad(ScimType::Mutability, detail).about(key));
        }
        if attribute.key == "active" {
            return self.active(attribute, said);
        }
        if !self.touched.iter().any(|touched| touched.key == attribute.key) {
            self.touched.push(attribute);
        }
        self.work().carry_out(spot, said)
    }

    fn active(&mut self, attribute: &Attribute, (_, value): Said<'_>) -> Result<(), ScimError> {
        let Some(value) = value else {
            return Err(ScimError::value("active", "`value` is missing for `active`; true or false is accepted"));
        };
        if let Asserted::Set(Value::Bool(active)) = read(self.reading, attribute, value, &mut self.patched.notes)? {
            self.patched.draft.active = active;
            self.patched.notes.received("active");
        }
        Ok(())
    }

    /// `name`, or an extension by its URN: each name in the object by itself; a blank one is blank for each of its
    /// attributes.
    fn whole(
        &mut self,
        name: &str,
        before: &str,
        belongs: &dyn Fn(&&'r Attribute) -> bool,
        (op, value): Said<'_>,
    ) -> Result<(), ScimError> {
        let fields = match value {
            _ if op == Op::Remove => None,
            Some(Value::Object(fields)) => Some(fields),
            Some(Value::Array(items)) if items.len() == 1 => items.first().and_then(Value::as_object),
            _ => None,
        };
        if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
            return fields
                .iter()
                .try_for_each(|(part, value)| self.named(&format!("{before}{part}"), (op, Some(value))));
        }
        match (op, value) {
            (Op::Add | Op::Replace, None) => Err(ScimError::value(name, format!("`value` is missing for `{name}`"))),
            (Op::Add | Op::Replace, Some(value))
                if !is_blank(value) && value.as_str() != Some(self.reading.sentinel) =>
            {
                Err(ScimError::value(name, format!("`{name}` takes an object with its attributes")))
            }
            (Op::Replace, Some(Value::Object(_))) | (Op::Add, _) => Ok(()),
            (Op::Replace, Some(value)) if is_blank(value) && blank(self.reading) == Asserted::Ignore => Ok(()),
            (Op::Replace | Op::Remove, _) => {
                let schema = self.reading.schema;
                for attribute in schema.attributes.iter().filter(belongs) {
                    if self.patched.draft.attributes.remove(&*attribute.key).is_some() {
                        self.patched.notes.cleared(&attribute.key);
                    }
                }
                Ok(())
            }
        }
    }

    fn members(
        &mut self,
        (filter, part): (Option<super::filter::Filter>, Option<&'static str>),
        by: By,
        (op, value): Said<'_>,
    ) -> Result<(), ScimError> {
        match (part, filter, by) {
            (Some(_), _, By::Body) => {
                self.patched.notes.read_only("members");
                Ok(())
            }
            (Some(_), _, By::Path) => Err(members::immutable()),
            (None, Some(filter), _) if op == Op::Remove => {
                self.patched.notes.received("members");
                members::remove_matching(filter, &mut self.patched.members)
            }
            (None, Some(_), _) => Err(members::immutable()),
            (None, None, _) => {
                let Patched { members, notes, .. } = &mut self.patched;
                members::change(self.reading, (op, value), members, notes)
            }
        }
    }
}

fn read_only(name: &str) -> ScimError {
    ScimError::bad(ScimType::Mutability, format!("`{name}` is read-only: leave it out")).about(name)
}

/// The name of a path, without its filter, in which values stand.
fn attribute_of(path: &str) -> &str {
    path.split('[').next().unwrap_or_default().trim()
}
