//! `--name value` pairs.

use std::collections::BTreeMap;

use anyhow::Context as _;

pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    pub fn read(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut pairs = BTreeMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").with_context(|| format!("{word} is no option"))?;
            let value = words.next().with_context(|| format!("--{name} lacks a value"))?;
            pairs.insert(name.to_owned(), value);
        }
        Ok(Self(pairs))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn text(&self, name: &str) -> anyhow::Result<&str> {
        self.get(name).with_context(|| format!("--{name} is missing"))
    }

    pub fn number(&self, name: &str, default: u64) -> anyhow::Result<u64> {
        self.get(name).map_or(Ok(default), |text| text.parse().with_context(|| format!("--{name} {text}")))
    }
}
