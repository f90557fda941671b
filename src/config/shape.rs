//! The vocabulary in which the tables of keys are written: one table per kind of file, read by
//! the checker and by the JSON Schema alike, so that they can't differ.

/// Secrets that one client may have at a time: the new one and the old one.
pub const LIVE_SECRETS_MAX: usize = 2;

/// One key of a file.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub default: Preset,
    pub need: Need,
    /// For people: the schema's description.
    pub doc: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Optional,
    Required,
}

/// A value when the key is left out.
#[derive(Clone, Copy, Debug)]
pub enum Preset {
    None,
    Text(&'static str),
    Flag(bool),
    Count(i64),
    Texts(&'static [&'static str]),
}

/// What a key takes.
#[derive(Debug)]
pub enum Kind {
    /// One line of text.
    Text,
    Texts,
    Flag,
    /// A whole number from least to most.
    Count(i64, i64),
    /// `"90s"`, `"10m"`, `"8h"`, `"30d"`.
    Duration,
    OneOf(&'static [&'static str]),
    SomeOf(&'static [&'static str]),
    /// An https address, or http on loopback.
    Address,
    /// A file, relative to the folder.
    Path,
    Paths,
    Domains,
    Networks,
    Socket,
    /// `#rrggbb`.
    Colour,
    Uuid,
    /// `"5%"` or a whole number.
    Share,
    /// `keep`, `delete_now` or `delete_after 30d`.
    Deactivation,
    /// `{ env = … }`, `{ file = … }` or bare text.
    Secret,
    /// As `Secret`, or a list of one or two.
    LiveSecrets,
    /// As `Secret`, of several lines: a key in PEM.
    SecretPem,
    /// An address in which a password may stand: text, `{ env = … }` or `{ file = … }`.
    SecretUrl,
    /// Any name = secret.
    Secrets,
    /// `{ keys = [ … ] }` or `{ file = … }`.
    Jwks,
    /// Any name = text.
    Map,
    Table(&'static [Key]),
}

impl Key {
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, default: Preset::None, need: Need::Optional, doc }
    }

    #[must_use]
    pub const fn required(mut self) -> Self {
        self.need = Need::Required;
        self
    }

    #[must_use]
    pub const fn or(mut self, text: &'static str) -> Self {
        self.default = Preset::Text(text);
        self
    }

    #[must_use]
    pub const fn on(mut self) -> Self {
        self.default = Preset::Flag(true);
        self
    }

    #[must_use]
    pub const fn off(mut self) -> Self {
        self.default = Preset::Flag(false);
        self
    }

    #[must_use]
    pub const fn or_count(mut self, count: i64) -> Self {
        self.default = Preset::Count(count);
        self
    }

    #[must_use]
    pub const fn or_texts(mut self, texts: &'static [&'static str]) -> Self {
        self.default = Preset::Texts(texts);
        self
    }

    /// Whether the value may be shown in an excerpt.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(
            self.kind,
            Kind::Secret | Kind::LiveSecrets | Kind::SecretPem | Kind::Secrets | Kind::Jwks | Kind::Table(_)
        )
    }
}

/// The key of this name.
#[must_use]
pub fn find(keys: &'static [Key], name: &str) -> Option<&'static Key> {
    keys.iter().find(|key| key.name == name)
}

/// The names of all keys of a kind of file, tables inside tables too.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    pub keys: std::collections::BTreeSet<&'static str>,
    /// Those whose values are no secrets wherever they stand.
    pub open_keys: std::collections::BTreeSet<&'static str>,
}

impl Vocabulary {
    #[must_use]
    pub fn of(keys: &'static [Key]) -> Self {
        let mut all = Self::default();
        all.add(keys);
        all
    }

    fn add(&mut self, keys: &'static [Key]) {
        for key in keys {
            self.keys.insert(key.name);
            if key.is_open() {
                self.open_keys.insert(key.name);
            }
            if let Kind::Table(inner) = key.kind {
                self.add(inner);
            }
        }
    }
}
