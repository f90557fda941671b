//! Operations on one attribute: single, complex, of several values, and on those of them that match.

use serde_json::{Map, Value};

use super::operation::Op;
use crate::base::text::fold;
use crate::identity::user::Attributes;
use crate::scim::error::{ScimError, ScimType};
use crate::scim::filter::{Filter, Literal, Operand, Operator};
use crate::scim::notes::Notes;
use crate::scim::reading::Reading;
use crate::scim::schema::{Attribute, Case, Kind, Mutability, Plurality, Sub};
use crate::scim::value::{Asserted, is_blank, is_significant, read, read_element, read_sub, settle_values};

/// Where an operation goes: an attribute, those of its values that match, a part of them.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    pub attribute: &'a Attribute,
    pub filter: Option<&'a Filter>,
    pub sub: Option<&'static Sub>,
}

/// What an operation says: `None` for a `remove`, or one with no value.
pub(super) type Said<'b> = (Op, Option<&'b Value>);

/// What becomes of a value.
enum Change {
    Gone,
    Parts(Parts),
}

/// Parts of a value: set, or unassigned.
#[derive(Default)]
struct Parts {
    set: Map<String, Value>,
    cleared: Vec<&'static str>,
}

impl Parts {
    fn take(&mut self, sub: &'static Sub, asserted: Asserted) {
        match asserted {
            Asserted::Set(value) => {
                self.set.insert(sub.name.to_owned(), value);
            }
            Asserted::Clear => self.cleared.push(sub.name),
            Asserted::Ignore => {}
        }
    }

    /// RFC 7644 §3.5.2.3: `replace` of a value puts another in its place, which still is what the filter says unless it
    /// says otherwise; less than a whole value changes only what it names, and so does `add`.
    fn put(&self, fields: &mut Map<String, Value>, spot: &Spot<'_>, op: Op) {
        let attribute = spot.attribute;
        if spot.sub.is_none() && op == Op::Replace && is_significant(attribute, &self.set) {
            *fields = spot.filter.and_then(seeds).unwrap_or_default();
        }
        // What else there is of an only value, its address say, belonged to the old one.
        let other = self.set.get("value").is_some_and(|value| fields.get("value") != Some(value));
        if other && attribute.plurality == Plurality::Single {
            fields.clear();
        }
        for name in &self.cleared {
            fields.remove(*name);
        }
        fields.extend(self.set.clone());
    }

    /// Whether it says itself that the value is primary, or the filter by which it was made.
    fn is_primary_or_new(&self, spot: &Spot<'_>) -> bool {
        let says = |fields: &Map<String, Value>| fields.get("primary") == Some(&Value::Bool(true));
        says(&self.set) || spot.filter.and_then(seeds).is_some_and(|seeds| says(&seeds))
    }
}

/// The attributes that operations work on, and how they are read.
pub(super) struct Work<'a, 'r> {
    pub reading: &'a Reading<'r>,
    pub attributes: &'a mut Attributes,
    pub notes: &'a mut Notes,
}

impl Work<'_, '_> {
    pub(super) fn carry_out(&mut self, spot: Spot<'_>, said: Said<'_>) -> Result<(), ScimError> {
        match (spot.filter, spot.sub, spot.attribute.plurality) {
            (None, None, Plurality::Single) if !is_partial(spot.attribute, said) => self.single(spot.attribute, said),
            (None, None, Plurality::Multi) => self.several(spot.attribute, said),
            _ => self.elements(spot, said),
        }
    }

    fn single(&mut self, attribute: &Attribute, (op, value): Said<'_>) -> Result<(), ScimError> {
        let asserted = match (op, value) {
            (Op::Remove, _) => Asserted::Clear,
            (_, Some(value)) => read(self.reading, attribute, value, self.notes)?,
            (_, None) => return Err(valueless(attribute)),
        };
        match asserted {
            Asserted::Ignore => {}
            Asserted::Clear => self.clear(attribute),
            Asserted::Set(value) => self.put(attribute, value),
        }
        Ok(())
    }

    /// All values of an attribute of several.
    fn several(&mut self, attribute: &Attribute, (op, value): Said<'_>) -> Result<(), ScimError> {
        let asserted = match (op, value) {
            (Op::Remove, None) => Asserted::Clear,
            (Op::Remove, Some(value)) if is_blank(value) => Asserted::Clear,
            (_, Some(value)) => read(self.reading, attribute, value, self.notes)?,
            (_, None) => return Err(valueless(attribute)),
        };
        match (op, asserted) {
            (_, Asserted::Ignore) | (Op::Add, Asserted::Clear) => Ok(()),
            (_, Asserted::Clear) => {
                self.clear(attribute);
                Ok(())
            }
            (Op::Remove, Asserted::Set(named)) => {
                let named = into_elements(Some(named));
                let mut elements = self.take(attribute);
                elements.retain(|element| !named.iter().any(|named| names(attribute, element, named)));
                self.settle(attribute, elements, None)
            }
            (Op::Replace, Asserted::Set(values)) => {
                self.notes.received(&attribute.key);
                self.settle(attribute, into_elements(Some(values)), None)
            }
            (Op::Add, Asserted::Set(values)) => {
                self.notes.received(&attribute.key);
                self.append(attribute, into_elements(Some(values)))
            }
        }
    }

    /// Those that are there already take what is new of their parts; a new primary value resets the others.
    fn append(&mut self, attribute: &Attribute, added: Vec<Value>) -> Result<(), ScimError> {
        let mut elements = self.take(attribute);
        let mut primary = None;
        for new in added {
            let at = match elements.iter().position(|element| is_same(attribute, element, &new)) {
                Some(at) => at,
                None => elements.len(),
            };
            if is_primary(&new) {
                primary = Some(at);
            }
            match (elements.get_mut(at), new) {
                (Some(Value::Object(fields)), Value::Object(new)) => fields.extend(new),
                (Some(element), new) => *element = new,
                (None, new) => elements.push(new),
            }
        }
        self.settle(attribute, elements, primary)
    }

    /// The values that match, or parts of them; without a filter all.
    fn elements(&mut self, spot: Spot<'_>, (op, value): Said<'_>) -> Result<(), ScimError> {
        let attribute = spot.attribute;
        let Some(change) = self.change(&spot, (op, value))? else { return Ok(()) };
        let mut elements = self.take(attribute);
        let mut matching: Vec<usize> = elements
            .iter()
            .enumerate()
            .filter(|(_, element)| spot.filter.is_none_or(|filter| filter.matches_value(element)))
            .map(|(at, _)| at)
            .collect();
        let mut primary = None;
        match change {
            Change::Gone => {
                self.notes.cleared(&attribute.key);
                let mut at = 0;
                elements.retain(|_| {
                    at += 1;
                    !matching.contains(&(at - 1))
                });
            }
            Change::Parts(parts) => {
                if matching.is_empty() && !parts.set.is_empty() {
                    matching.push(elements.len());
                    elements.push(Value::Object(seeded(&spot)?));
                }
                if parts.set.is_empty() {
                    self.notes.cleared(&attribute.key);
                } else {
                    self.notes.received(&attribute.key);
                }
                for at in matching {
                    let Some(Value::Object(fields)) = elements.get_mut(at) else { continue };
                    parts.put(fields, &spot, op);
                    if fields.get("primary") == Some(&Value::Bool(true)) && parts.is_primary_or_new(&spot) {
                        primary = Some(at);
                    }
                }
            }
        }
        if attribute.plurality == Plurality::Single {
            match elements.pop() {
                Some(element) => self.attributes.insert(attribute.key.to_string(), element),
                None => self.attributes.remove(&*attribute.key),
            };
            return Ok(());
        }
        self.settle(attribute, elements, primary)
    }

    /// What is said of each value. `None`: nothing.
    fn change(&mut self, spot: &Spot<'_>, (op, value): Said<'_>) -> Result<Option<Change>, ScimError> {
        let attribute = spot.attribute;
        let mut parts = Parts::default();
        match (op, value, spot.sub) {
            (Op::Remove, _, None) => return Ok(Some(Change::Gone)),
            (Op::Remove, _, Some(sub)) => parts.cleared.push(sub.name),
            (_, None, _) => return Err(valueless(attribute)),
            (_, Some(value), Some(sub)) => parts.take(sub, read_sub(self.reading, attribute, sub, value)?),
            (_, Some(Value::Object(given)), None) if !given.values().all(is_blank) => {
                for (name, value) in given {
                    match attribute.sub(name) {
                        Some(sub) if sub.mutability == Mutability::ReadOnly => {}
                        Some(sub) => parts.take(sub, read_sub(self.reading, attribute, sub, value)?),
                        None => self.notes.unknown(&format!("{}.{name}", attribute.key)),
                    }
                }
            }
            (_, Some(value), None) => match read_element(self.reading, attribute, value, self.notes)? {
                Asserted::Set(Value::Object(fields)) => parts.set = fields,
                Asserted::Clear => return Ok(Some(Change::Gone)),
                Asserted::Set(_) | Asserted::Ignore => {}
            },
        }
        let nothing = parts.set.is_empty() && parts.cleared.is_empty();
        Ok((!nothing).then_some(Change::Parts(parts)))
    }

    /// Values without anything of significance go, at the end of all operations: another operation may fill them.
    pub(super) fn prune(&mut self, attribute: &Attribute) {
        if attribute.kind != Kind::Complex || !self.attributes.contains_key(&*attribute.key) {
            return;
        }
        let mut elements = self.take(attribute);
        elements.retain(|element| element.as_object().is_none_or(|fields| is_significant(attribute, fields)));
        let left = match attribute.plurality {
            Plurality::Single => elements.pop(),
            Plurality::Multi => (!elements.is_empty()).then_some(Value::Array(elements)),
        };
        if let Some(left) = left {
            self.attributes.insert(attribute.key.to_string(), left);
        }
    }

    fn put(&mut self, attribute: &Attribute, value: Value) {
        self.notes.received(&attribute.key);
        self.attributes.insert(attribute.key.to_string(), value);
    }

    fn clear(&mut self, attribute: &Attribute) {
        self.notes.cleared(&attribute.key);
        self.attributes.remove(&*attribute.key);
    }

    /// Takes the values out, to be put back by [`Work::settle`].
    fn take(&mut self, attribute: &Attribute) -> Vec<Value> {
        into_elements(self.attributes.remove(&*attribute.key))
    }

    fn settle(
        &mut self,
        attribute: &Attribute,
        mut elements: Vec<Value>,
        primary: Option<usize>,
    ) -> Result<(), ScimError> {
        settle_values(attribute, &mut elements, primary)?;
        if !elements.is_empty() {
            self.attributes.insert(attribute.key.to_string(), Value::Array(elements));
        }
        Ok(())
    }
}

/// Whether an object names parts of a complex attribute and not what it is about.
fn is_partial(attribute: &Attribute, (op, value): Said<'_>) -> bool {
    let Some(Value::Object(given)) = value else { return false };
    let tells = |name: &String| name.eq_ignore_ascii_case("value") || name.eq_ignore_ascii_case("$ref");
    op != Op::Remove && attribute.kind == Kind::Complex && !given.keys().any(tells) && !given.values().all(is_blank)
}

fn into_elements(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(elements)) => elements,
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// The same value of the same type, or of an address the same parts but for `primary`.
fn is_same(attribute: &Attribute, one: &Value, other: &Value) -> bool {
    if attribute.sub("value").is_none() {
        return names(attribute, one, other) && names(attribute, other, one);
    }
    let equal = |name| equal_parts(attribute, name, one.get(name), other.get(name));
    equal("value") && equal("type")
}

/// Whether a value has all that another says of it, but for `primary` and `display`.
fn names(attribute: &Attribute, element: &Value, named: &Value) -> bool {
    let Some(fields) = named.as_object() else { return element == named };
    let telling = fields.iter().filter(|(name, _)| *name != "primary" && *name != "display");
    telling.into_iter().all(|(name, wanted)| equal_parts(attribute, name, element.get(name), Some(wanted)))
}

fn equal_parts(attribute: &Attribute, name: &str, one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::String(one)), Some(Value::String(other))) => {
            let exact = attribute.sub(name).is_some_and(|sub| sub.case == Case::Exact);
            one == other || (!exact && fold(one) == fold(other))
        }
        (one, other) => one == other,
    }
}

/// The value that an operation makes where none matches.
fn seeded(spot: &Spot<'_>) -> Result<Map<String, Value>, ScimError> {
    let seeds = match spot.filter {
        None => Some(Map::new()),
        Some(filter) => seeds(filter),
    };
    seeds.ok_or_else(|| {
        let key = &spot.attribute.key;
        let detail = format!("`{key}` has no value that matches, and such a filter doesn't say what to make");
        ScimError::bad(ScimType::NoTarget, detail).about(key)
    })
}

/// The parts that a conjunction of `eq` names.
fn seeds(filter: &Filter) -> Option<Map<String, Value>> {
    match filter {
        Filter::Compare { operand: Operand::Attribute { sub: Some(sub), .. }, operator: Operator::Eq, value } => {
            let value = match value {
                Literal::Text { text, .. } => Value::String(text.clone()),
                Literal::Boolean(flag) => Value::Bool(*flag),
                Literal::Number(number) => serde_json::Number::from_f64(*number).map(Value::Number)?,
                Literal::Instant(_) => return None,
            };
            Some(Map::from_iter([((*sub).to_owned(), value)]))
        }
        Filter::And(all) => {
            let mut together = Map::new();
            for part in all {
                together.extend(seeds(part)?);
            }
            Some(together)
        }
        _ => None,
    }
}

fn valueless(attribute: &Attribute) -> ScimError {
    ScimError::value(&attribute.key, format!("`value` is missing for `{}`; null would clear it", attribute.key))
}
