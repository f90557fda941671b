//! Which product provisions a directory.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Azure,
    Okta,
    Ping,
    Generic,
}

impl Source {
    /// As `source` in the directory's file has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Azure => "azure",
            Self::Okta => "okta",
            Self::Ping => "ping",
            Self::Generic => "generic",
        }
    }
}
