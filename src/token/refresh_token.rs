//! The text of a refresh token: base64url of the family's random id and of a secret of its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::family::FamilyId;
use crate::base::{Digest, Secret};

/// Bytes of the family's id.
pub const FAMILY_ID_BYTES: usize = 16;
/// Bytes of the secret.
pub const SECRET_BYTES: usize = 32;
/// Characters of a token: 48 bytes need no padding.
pub const TOKEN_CHARS: usize = 64;

/// A refresh token, issued or presented; only digests of it are ever kept.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RefreshToken {
    family: [u8; FAMILY_ID_BYTES],
    secret: [u8; SECRET_BYTES],
}

impl RefreshToken {
    /// The first token of a new family, from fresh random bytes.
    #[must_use]
    pub const fn mint(family: [u8; FAMILY_ID_BYTES], secret: [u8; SECRET_BYTES]) -> Self {
        Self { family, secret }
    }

    /// The next token of the same family.
    #[must_use]
    pub const fn successor(&self, secret: [u8; SECRET_BYTES]) -> Self {
        Self { family: self.family, secret }
    }

    /// Reads a presented token; `None` for every text that we can't have issued.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TOKEN_CHARS {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let parts = bytes.split_at_checked(FAMILY_ID_BYTES);
        let token = parts.and_then(|(family, secret)| {
            Some(Self { family: family.try_into().ok()?, secret: secret.try_into().ok()? })
        });
        bytes.zeroize();
        token
    }

    /// The text, for the one place that sends it.
    #[must_use]
    pub fn text(&self) -> Secret {
        let mut text = String::with_capacity(TOKEN_CHARS);
        let mut bytes = [0_u8; FAMILY_ID_BYTES + SECRET_BYTES];
        for (place, byte) in bytes.iter_mut().zip(self.family.iter().chain(&self.secret)) {
            *place = *byte;
        }
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        bytes.zeroize();
        Secret::new(text)
    }

    /// The name of its family.
    #[must_use]
    pub fn family(&self) -> FamilyId {
        FamilyId(Digest::of(self.family))
    }

    /// The digest of the whole text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.text().expose())
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RefreshToken({:?})", self.family())
    }
}
