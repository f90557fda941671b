//! What a list request asks for (RFC 7644 §3.4.2, RFC 9865).

use serde_json::Value;

use super::error::{ScimError, ScimType};
use super::filter::{CommonOperand, Filter, Operand};
use super::schema::{Common, Kind, Named, Schema};
use super::urn;

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

/// `attributes` or `excludedAttributes` (RFC 7644 §3.9): names as they came, folded; without the URN of the core schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    #[default]
    Default,
    Only(Vec<String>),
    Without(Vec<String>),
}

/// The parameters that we know, as text. Of one that is there twice the first counts.
#[derive(Default)]
struct Parameters<'a> {
    filter: Option<&'a str>,
    sort_by: Option<&'a str>,
    sort_order: Option<&'a str>,
    start_index: Option<&'a str>,
    count: Option<&'a str>,
    cursor: Option<&'a str>,
    attributes: Option<&'a str>,
    excluded: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    fn place(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name.to_ascii_lowercase().as_str() {
            "filter" => &mut self.filter,
            "sortby" => &mut self.sort_by,
            "sortorder" => &mut self.sort_order,
            "startindex" => &mut self.start_index,
            "count" => &mut self.count,
            "cursor" => &mut self.cursor,
            "attributes" => &mut self.attributes,
            "excludedattributes" => &mut self.excluded,
            _ => return None,
        })
    }

    fn put(&mut self, name: &str, value: &'a str) {
        if let Some(place) = self.place(name) {
            place.get_or_insert(value);
        }
    }
}

impl ListRequest {
    /// Of the query parameters, decoded, in their order. Unknown ones are ignored; names count in any case.
    ///
    /// # Errors
    /// 400: a filter, sort or number that can't be read; `attributes` and `excludedAttributes` at once; `cursor` and
    /// `startIndex` at once (RFC 9865 §2).
    pub fn of_query(pairs: &[(String, String)], schema: &Schema) -> Result<Self, ScimError> {
        let mut parameters = Parameters::default();
        for (name, value) in pairs {
            parameters.put(name, value);
        }
        Self::of(&parameters, schema)
    }

    /// Of the body of `.search` (RFC 7644 §3.4.3). Numbers may be text, `attributes` a list or a text with commas.
    ///
    /// # Errors
    /// As [`ListRequest::of_query`], and 400 `invalidSyntax`.
    pub fn of_body(body: &Value, schema: &Schema) -> Result<Self, ScimError> {
        let Some(fields) = body.as_object() else {
            return Err(ScimError::bad(ScimType::InvalidSyntax, "expected an object, a SearchRequest"));
        };
        let texts = fields
            .iter()
            .filter(|(name, value)| !value.is_null() && !name.eq_ignore_ascii_case("schemas"))
            .filter(|(name, _)| Parameters::default().place(name).is_some())
            .map(|(name, value)| Ok((name.as_str(), text_of(name, value)?)))
            .collect::<Result<Vec<_>, ScimError>>()?;
        let mut parameters = Parameters::default();
        for (name, text) in &texts {
            parameters.put(name, text);
        }
        Self::of(&parameters, schema)
    }

    fn of(parameters: &Parameters<'_>, schema: &Schema) -> Result<Self, ScimError> {
        let begin = match (parameters.cursor, parameters.start_index) {
            (Some(_), Some(_)) => {
                let detail = "cursor and startIndex exclude each other: send one of them";
                return Err(ScimError::bad(ScimType::InvalidCursor, detail));
            }
            (Some(cursor), None) => Begin::Cursor(cursor.to_owned()),
            (None, Some(index)) => Begin::Index(whole("startIndex", index, ScimType::InvalidValue)?.max(1)),
            (None, None) => Begin::Index(1),
        };
        let wrong = match begin {
            Begin::Cursor(_) => ScimType::InvalidCount,
            Begin::Index(_) => ScimType::InvalidValue,
        };
        let count = match parameters.count {
            Some(count) => {
                let count = whole("count", count, wrong)?;
                u32::try_from(count).map_or(PAGE_MAX, |count| count.min(PAGE_MAX))
            }
            None => PAGE_DEFAULT,
        };
        let filter_text = parameters.filter.unwrap_or_default().trim().to_owned();
        let filter = match filter_text.as_str() {
            "" => None,
            text => Some(Filter::parse(text, schema)?),
        };
        Ok(Self {
            filter,
            filter_text,
            sort: sort(parameters, schema)?,
            begin,
            count,
            selection: Selection::of(parameters.attributes, parameters.excluded)?,
        })
    }
}

/// A field of a search request as its query parameter would be.
fn text_of(name: &str, value: &Value) -> Result<String, ScimError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Array(all) => {
            let names = all.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
            names.map(|names| names.join(",")).ok_or_else(|| ScimError::value(name, "expected an array of texts"))
        }
        _ => Err(ScimError::value(name, format!("{name}: expected a text or a number"))),
    }
}

/// A whole number; what is below 0 is 0, what is too large is the largest.
fn whole(name: &str, text: &str, wrong: ScimType) -> Result<u64, ScimError> {
    let digits = text.trim();
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, digits.strip_prefix('+').unwrap_or(digits)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ScimError::bad(wrong, format!("{name}: expected a whole number")).about(name));
    }
    Ok(if negative { 0 } else { digits.parse().unwrap_or(u64::MAX) })
}

/// RFC 7644 §3.4.2.3. A name that can't be sorted by is refused like one that can't be filtered by: an answer in another
/// order would pass for the one asked for.
fn sort(parameters: &Parameters<'_>, schema: &Schema) -> Result<Option<(Operand, Order)>, ScimError> {
    let order = match parameters.sort_order.map(str::trim) {
        None | Some("") => Order::Ascending,
        Some(order) if order.eq_ignore_ascii_case("ascending") => Order::Ascending,
        Some(order) if order.eq_ignore_ascii_case("descending") => Order::Descending,
        Some(_) => return Err(ScimError::value("sortOrder", "sortOrder: expected ascending or descending")),
    };
    let by = match parameters.sort_by.map(str::trim) {
        None | Some("") => return Ok(None),
        Some(by) => by,
    };
    let common = |common| Some(Operand::Common(common));
    let operand = match schema.named(by) {
        Named::Attribute(attribute, sub) => {
            let sub = sub.or_else(|| attribute.sub("value"));
            let plain = sub.is_some() || attribute.kind != Kind::Complex;
            plain.then(|| Operand::Attribute { key: attribute.key.clone().into_owned(), sub: sub.map(|sub| sub.name) })
        }
        Named::Common(Common::Id) => common(CommonOperand::Id),
        Named::Common(Common::ResourceType) => common(CommonOperand::ResourceType),
        Named::Common(Common::Created) => common(CommonOperand::Created),
        Named::Common(Common::LastModified) => common(CommonOperand::LastModified),
        Named::Common(Common::Version) => common(CommonOperand::Version),
        _ => None,
    };
    match operand {
        Some(operand) => Ok(Some((operand, order))),
        None => {
            let detail =
                "sortBy: no such attribute here, or one without values to sort by; /Schemas has those there are";
            Err(ScimError::value("sortBy", detail))
        }
    }
}

impl Selection {
    /// Of `attributes` and `excludedAttributes`, as they came: names between commas. Blank is as if not sent.
    ///
    /// # Errors
    /// 400 `invalidValue` if both are there.
    pub fn of(attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, ScimError> {
        let names = |list: Option<&str>| -> Vec<String> {
            list.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()).map(bare).collect()
        };
        let (attributes, excluded) = (names(attributes), names(excluded));
        match (attributes.is_empty(), excluded.is_empty()) {
            (true, true) => Ok(Self::Default),
            (false, true) => Ok(Self::Only(attributes)),
            (true, false) => Ok(Self::Without(excluded)),
            (false, false) => {
                let detail = "attributes and excludedAttributes exclude each other: send one of them";
                Err(ScimError::value("attributes", detail))
            }
        }
    }

    /// Whether `members` of a group or `groups` of a user are wanted, which cost a read of their own. A user's groups are
    /// wanted only by name; a group's members unless left out.
    #[must_use]
    pub fn wants(&self, attribute: &str) -> bool {
        let below = |name: &String| {
            name.strip_prefix(attribute).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        match self {
            Self::Default => attribute != "groups",
            Self::Only(names) => names.iter().any(below),
            Self::Without(names) => attribute != "groups" && !names.iter().any(|name| name == attribute),
        }
    }
}

/// Lower case, without the URN of a core schema.
fn bare(name: &str) -> String {
    let name = name.to_lowercase();
    for urn in [urn::USER, urn::GROUP] {
        let core = urn.to_lowercase();
        if let Some(rest) = name.strip_prefix(&core).and_then(|rest| rest.strip_prefix([':', '.'])) {
            return rest.to_owned();
        }
    }
    name
}

#[cfg(test)]
mod tests;
