//! The body of a POST or PUT, name by name: what it says of which attribute.

use serde_json::{Map, Value};

use super::error::{ScimError, ScimType};
use super::notes::Notes;
use super::reading::Reading;
use super::schema::{Attribute, Common, Named, Plurality, Sub};
use super::value::{Asserted, blank, is_blank, read, shape};

/// How deep a body may be, and how many names an object in it may have.
pub const DEPTH_MAX: usize = 16;
pub const NAMES_MAX: usize = 512;

/// What a body says.
#[derive(Debug, Default)]
pub struct Said<'s, 'b> {
    /// In the order of the body; an attribute may come twice, under two names.
    pub attributes: Vec<(&'s Attribute, Asserted)>,
    /// The value of `members`, if it came.
    pub members: Option<&'b Value>,
}

impl Said<'_, '_> {
    /// Whether a value or a clear came for the attribute.
    #[must_use]
    pub fn speaks_of(&self, attribute: &Attribute) -> bool {
        self.attributes.iter().any(|(said, asserted)| said.key == attribute.key && *asserted != Asserted::Ignore)
    }
}

/// Whether a body is within bounds.
///
/// # Errors
/// 400 `invalidSyntax`: deeper than [`DEPTH_MAX`], or an object of more than [`NAMES_MAX`] names.
pub fn bounded(body: &Value) -> Result<(), ScimError> {
    fn within(value: &Value, left: usize) -> Result<(), &'static str> {
        let left = match (value, left) {
            (Value::Array(_) | Value::Object(_), 0) => return Err("is deeper than 16 levels"),
            (Value::Array(_) | Value::Object(_), left) => left - 1,
            _ => return Ok(()),
        };
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| within(item, left)),
            Value::Object(fields) if fields.len() > NAMES_MAX => Err("has an object with more than 512 names"),
            Value::Object(fields) => fields.values().try_for_each(|value| within(value, left)),
            _ => Ok(()),
        }
    }
    within(body, DEPTH_MAX).map_err(|why| ScimError::bad(ScimType::InvalidSyntax, format!("the body {why}")))
}

/// Reads a body. A password is passed over before anything looks at it; what is read-only, unknown or not confirmed is
/// left out.
///
/// # Errors
/// 400 `invalidSyntax`: no object, or out of bounds; `invalidValue` with the attribute and the mend.
pub fn read_body<'s, 'b>(reading: &Reading<'s>, body: &'b Value, notes: &mut Notes) -> Result<Said<'s, 'b>, ScimError> {
    bounded(body)?;
    let Some(fields) = body.as_object() else {
        let detail = format!("the body is {}; an object is accepted", shape(body));
        return Err(ScimError::bad(ScimType::InvalidSyntax, detail));
    };
    let mut said = Said { attributes: Vec::with_capacity(fields.len()), members: None };
    for (name, value) in fields {
        match reading.schema.named(name) {
            Named::Parent(parent) => read_parent(reading, parent, value, (&mut said, notes))?,
            Named::Extension(urn) => read_extension(reading, urn, value, (&mut said, notes))?,
            named => read_named(reading, (name, named), value, (&mut said, notes))?,
        }
    }
    Ok(said)
}

type Into<'t, 's, 'b> = (&'t mut Said<'s, 'b>, &'t mut Notes);

fn read_named<'s, 'b>(
    reading: &Reading<'s>,
    (name, named): (&str, Named<'s>),
    value: &'b Value,
    (said, notes): Into<'_, 's, 'b>,
) -> Result<(), ScimError> {
    match named {
        Named::Attribute(attribute, None) => {
            let asserted = read(reading, attribute, value, notes)?;
            said.attributes.push((attribute, asserted));
        }
        Named::Attribute(attribute, Some(sub)) => {
            if let Some(asserted) = read_dotted(reading, attribute, sub, (value, notes))? {
                said.attributes.push((attribute, asserted));
            } else {
                notes.unknown(name);
            }
        }
        Named::Common(Common::Members(None)) => said.members = Some(value),
        Named::Common(Common::Groups(_)) if !is_blank(value) => notes.read_only("groups"),
        Named::Common(_) => {}
        Named::Unconfirmed => unconfirmed(name, value, notes),
        Named::Unknown | Named::Parent(_) | Named::Extension(_) => notes.unknown(name),
    }
    Ok(())
}

/// `"manager.value": …` beside the other names. Of an attribute of several it would not say which value is meant.
fn read_dotted(
    reading: &Reading<'_>,
    attribute: &Attribute,
    sub: &Sub,
    (value, notes): (&Value, &mut Notes),
) -> Result<Option<Asserted>, ScimError> {
    if attribute.plurality == Plurality::Multi {
        return Ok(None);
    }
    let mut fields = Map::new();
    fields.insert(sub.name.to_owned(), value.clone());
    read(reading, attribute, &Value::Object(fields), notes).map(Some)
}

/// `name`: each part by itself.
fn read_parent<'s, 'b>(
    reading: &Reading<'s>,
    parent: &'static str,
    value: &'b Value,
    (said, notes): Into<'_, 's, 'b>,
) -> Result<(), ScimError> {
    let belongs = |attribute: &&'s Attribute| attribute.parent == Some(parent);
    let Some(fields) = fields_of(reading, parent, value)? else {
        return clear_all(reading, belongs, said);
    };
    for (name, value) in fields {
        let mut parts = reading.schema.attributes.iter().filter(belongs);
        match parts.find(|attribute| attribute.name.eq_ignore_ascii_case(name)) {
            Some(part) => said.attributes.push((part, read(reading, part, value, notes)?)),
            None => {
                let full = format!("{parent}.{name}");
                let named = reading.schema.named(&full);
                read_named(reading, (&full, named), value, (said, notes))?;
            }
        }
    }
    Ok(())
}

/// A whole extension: each attribute by itself.
fn read_extension<'s, 'b>(
    reading: &Reading<'s>,
    urn: &'s str,
    value: &'b Value,
    (said, notes): Into<'_, 's, 'b>,
) -> Result<(), ScimError> {
    let belongs = |attribute: &&'s Attribute| attribute.schema == urn;
    let Some(fields) = fields_of(reading, urn, value)? else {
        return clear_all(reading, belongs, said);
    };
    for (name, value) in fields {
        let mut own = reading.schema.attributes.iter().filter(belongs);
        match own.find(|attribute| attribute.parent.is_none() && attribute.name.eq_ignore_ascii_case(name)) {
            Some(attribute) => said.attributes.push((attribute, read(reading, attribute, value, notes)?)),
            None => {
                let full = format!("{urn}:{name}");
                let named = reading.schema.named(&full);
                read_named(reading, (&full, named), value, (said, notes))?;
            }
        }
    }
    Ok(())
}

/// The names of an object or of an array with one; `None`: blank.
fn fields_of<'b>(
    reading: &Reading<'_>,
    name: &str,
    value: &'b Value,
) -> Result<Option<&'b Map<String, Value>>, ScimError> {
    match value {
        Value::Object(fields) if !fields.is_empty() => Ok(Some(fields)),
        Value::String(text) if text == reading.sentinel => Ok(None),
        Value::Array(items) if items.len() == 1 => match items.first() {
            Some(Value::Object(fields)) if !fields.is_empty() => Ok(Some(fields)),
            _ if is_blank(value) => Ok(None),
            _ => Err(no_object(name, value)),
        },
        blank if is_blank(blank) => Ok(None),
        other => Err(no_object(name, other)),
    }
}

fn no_object(name: &str, value: &Value) -> ScimError {
    ScimError::value(name, format!("`{name}` is {}; an object with its attributes is accepted", shape(value)))
}

fn clear_all<'s>(
    reading: &Reading<'s>,
    belongs: impl Fn(&&'s Attribute) -> bool,
    said: &mut Said<'s, '_>,
) -> Result<(), ScimError> {
    said.attributes.extend(reading.schema.attributes.iter().filter(belongs).map(|part| (part, blank(reading))));
    Ok(())
}

/// Each name of an extension or a complex attribute that isn't confirmed at all.
pub(super) fn unconfirmed(name: &str, value: &Value, notes: &mut Notes) {
    match value {
        Value::Null => {}
        Value::Object(fields) if super::urn::is_urn(name) => {
            for (own, _) in fields.iter().filter(|(_, value)| !is_blank(value)) {
                notes.unconfirmed(&format!("{name}:{own}"));
            }
        }
        Value::Object(fields) => {
            for (part, _) in fields.iter().filter(|(_, value)| !is_blank(value)) {
                notes.unconfirmed(&format!("{name}.{part}"));
            }
        }
        value if is_blank(value) => {}
        _ => notes.unconfirmed(name),
    }
}
