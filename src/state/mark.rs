//! Whether a record can still be taken.

/// Kept beside each record; its byte is part of every stored encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Fresh,
    /// It was taken; the bytes are its residue.
    Taken,
}

impl Mark {
    pub const fn byte(self) -> u8 {
        match self {
            Self::Fresh => 1,
            Self::Taken => 2,
        }
    }

    pub const fn of(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Fresh),
            2 => Some(Self::Taken),
            _ => None,
        }
    }
}
