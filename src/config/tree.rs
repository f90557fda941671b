//! TOML as a tree of owned values, each with the bytes it stands at.

use std::ops::Range;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(String),
    Count(i64),
    Flag(bool),
    List(Vec<Node>),
    Table(Table),
    /// A kind of value that no key takes, by its name.
    Other(&'static str),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub node: Node,
}

/// One syntax error.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxError {
    pub message: String,
    pub span: Range<usize>,
}

/// The deepest nesting of keys that is read. The format of our files needs four.
const DEPTH_MAX: usize = 16;

impl Table {
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

impl Value {
    /// What a person calls this kind of value.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Count(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(name) => name,
        }
    }
}

/// Reads what can be read and says everything that can't. The parser itself bounds nesting.
#[must_use]
pub fn parse(text: &str) -> (Table, Vec<SyntaxError>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let errors = errors.iter().map(|error| syntax_error(error, text)).collect();
    (convert(table.get_ref(), 0), errors)
}

fn syntax_error(error: &Error, text: &str) -> SyntaxError {
    let message = error.message().lines().next().unwrap_or("can't be read").to_owned();
    SyntaxError { message, span: error.span().unwrap_or(text.len()..text.len()) }
}

fn convert(table: &DeTable<'_>, depth: usize) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_span: key.span(),
            node: node(value, depth + 1),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    Table { entries }
}

fn node(value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
    let span = value.span();
    let value = match value.get_ref() {
        _ if depth > DEPTH_MAX => Value::Other("too deeply nested"),
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let digits: String = number.as_str().chars().filter(|c| *c != '_').collect();
            i64::from_str_radix(&digits, number.radix()).map_or(Value::Other("a number too large"), Value::Count)
        }
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, depth + 1)).collect()),
        DeValue::Table(table) => Value::Table(convert(table, depth)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Node { span, value }
}
