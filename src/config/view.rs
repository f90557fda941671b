//! A file with its defaults behind it: what the file says, else the preset of its kind, else the
//! default in the table of keys.

use std::collections::BTreeMap;
use std::ops::Range;

use super::shape::{Key, Kind, Preset, find};
use super::source::Source;
use super::tree::{Entry, Node, Table, Value};
use crate::base::Span;

#[derive(Clone, Debug)]
pub struct View<'a> {
    pub source: &'a Source,
    /// The file's own table first.
    layers: Vec<&'a Table>,
    keys: &'static [Key],
    /// Where to point if a key is absent.
    anchor: Range<usize>,
    /// Whether the file has this table.
    present: bool,
}

static EMPTY: Table = Table { entries: Vec::new() };

impl<'a> View<'a> {
    #[must_use]
    pub fn new(source: &'a Source, table: &'a Table, keys: &'static [Key]) -> Self {
        Self { source, layers: vec![table], keys, anchor: 0..0, present: true }
    }

    /// With the defaults of a preset behind the file's own values.
    #[must_use]
    pub fn over(mut self, preset: &'a Table) -> Self {
        self.layers.push(preset);
        self
    }

    /// Whether the file itself has this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.own(key).is_some()
    }

    /// Whether the file itself has this table.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        self.present
    }

    /// The file's own entry.
    #[must_use]
    pub fn own(&self, key: &str) -> Option<&'a Entry> {
        self.layers.first().and_then(|table| table.get(key))
    }

    /// Where the value stands, or where it would.
    #[must_use]
    pub fn span(&self, key: &str) -> Range<usize> {
        self.own(key).map_or_else(|| self.anchor.clone(), |entry| entry.node.span.clone())
    }

    #[must_use]
    pub fn anchor(&self) -> Range<usize> {
        self.anchor.clone()
    }

    fn node(&self, key: &str) -> Option<&'a Node> {
        self.layers.iter().find_map(|table| table.get(key)).map(|entry| &entry.node)
    }

    fn default(&self, key: &str) -> Preset {
        find(self.keys, key).map_or(Preset::None, |key| key.default)
    }

    /// The text, empty if there is none.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        match (self.node(key).map(|node| &node.value), self.default(key)) {
            (Some(Value::Text(text)), _) => text.clone(),
            (Some(Value::Count(count)), _) => count.to_string(),
            (_, Preset::Text(text)) => text.to_owned(),
            _ => String::new(),
        }
    }

    /// The text unless it is empty.
    #[must_use]
    pub fn some_text(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        match (self.node(key).map(|node| &node.value), self.default(key)) {
            (Some(Value::Flag(flag)), _) => *flag,
            (_, Preset::Flag(flag)) => flag,
            _ => false,
        }
    }

    /// A number that fits, else the default.
    #[must_use]
    pub fn count(&self, key: &str) -> u32 {
        let own = match self.node(key).map(|node| &node.value) {
            Some(Value::Count(count)) => u32::try_from(*count).ok(),
            _ => None,
        };
        own.unwrap_or_else(|| match self.default(key) {
            Preset::Count(count) => u32::try_from(count).unwrap_or(u32::MAX),
            _ => 0,
        })
    }

    #[must_use]
    pub fn duration(&self, key: &str) -> Span {
        Span::parse(&self.text(key)).unwrap_or_default()
    }

    /// The texts of a list.
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<String> {
        self.items(key).into_iter().map(|(text, _)| text).collect()
    }

    /// The texts of a list, each with its place.
    #[must_use]
    pub fn items(&self, key: &str) -> Vec<(String, Range<usize>)> {
        match (self.node(key).map(|node| &node.value), self.default(key)) {
            (Some(Value::List(items)), _) => {
                let place = |node: &Node| if self.has(key) { node.span.clone() } else { self.anchor.clone() };
                items.iter().filter_map(|node| as_text(node).map(|text| (text.to_owned(), place(node)))).collect()
            }
            (None, Preset::Texts(texts)) => {
                texts.iter().map(|text| ((*text).to_owned(), self.anchor.clone())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A table of texts; the preset's entries that the file doesn't set are in it too.
    #[must_use]
    pub fn map(&self, key: &str) -> BTreeMap<String, String> {
        let tables = self.layers.iter().rev().filter_map(|layer| table_of(layer, key));
        let pairs = tables.flat_map(|table| &table.entries);
        pairs.filter_map(|e| as_text(&e.node).map(|text| (e.key.clone(), text.to_owned()))).collect()
    }

    /// The file's own entries of a table of texts.
    #[must_use]
    pub fn own_entries(&self, key: &str) -> &'a [Entry] {
        match self.own(key).map(|entry| &entry.node.value) {
            Some(Value::Table(table)) => &table.entries,
            _ => &[],
        }
    }

    /// The table under `key`, empty if there is none.
    #[must_use]
    pub fn table(&self, key: &str) -> Self {
        let own = self.own(key);
        let keys = match find(self.keys, key).map(|key| &key.kind) {
            Some(Kind::Table(inner)) => *inner,
            _ => &[],
        };
        let layers = self.layers.iter().map(|layer| table_of(layer, key).unwrap_or(&EMPTY)).collect();
        let anchor = own.map_or_else(|| self.anchor.clone(), |entry| entry.key_span.clone());
        Self { source: self.source, layers, keys, anchor, present: own.is_some() }
    }
}

fn table_of<'a>(layer: &'a Table, key: &str) -> Option<&'a Table> {
    match &layer.get(key)?.node.value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}

/// The text of a node, if it is one.
#[must_use]
pub fn as_text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
