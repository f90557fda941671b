//! What was seen in a request beside what it changed: counted for each connection, shown by `explain scim`.

/// Names only, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Confirmed attributes that came with a value.
    pub received: Vec<String>,
    /// Confirmed attributes that were cleared, or came blank.
    pub cleared: Vec<String>,
    /// Names in no schema.
    pub unknown: Vec<String>,
    /// Attributes that the directory doesn't confirm.
    pub unconfirmed: Vec<String>,
    /// Read-only ones, left out silently.
    pub read_only: Vec<String>,
    /// Something worth showing, in a sentence: `op` in another case, a boolean as text, a bare manager.
    pub remarks: Vec<&'static str>,
}
