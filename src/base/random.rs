//! Randomness, handed in by the composition root so that a login can be replayed in a test.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The source of everything unguessable.
pub trait Dice: Send + Sync {
    /// Fills `bytes` with unpredictable ones.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Dice + '_ {
    /// 256 random bits as 43 base64url characters: a code, a `state`, a PKCE verifier, a cookie value.
    #[must_use]
    pub fn token(&self) -> String {
        let mut bytes = [0_u8; 32];
        self.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// 128 random bits as 22 base64url characters: an id that is no secret, but can't be guessed.
    #[must_use]
    pub fn id(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The same as 32 lower-case hexadecimal digits: the id of a user or group, which other programs may fold.
    #[must_use]
    pub fn hex_id(&self) -> String {
        let mut bytes = [0_u8; 16];
        self.fill(&mut bytes);
        format!("{:032x}", u128::from_be_bytes(bytes))
    }
}
