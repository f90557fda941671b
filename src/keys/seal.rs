//! Sealing of what rests outside the process: AES-256-GCM under a key derived from the seal secret, bound to a
//! purpose, so that a sealed value moved elsewhere doesn't open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use crate::base::{Dice, Secret};

/// Opens and seals. Cheap to share, derived once.
pub struct Seal {
    key: LessSafeKey,
    secrets: Prk,
}

/// The seal secret can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the seal secret has fewer than 32 characters")]
pub struct WeakSeal;

fn expand(secrets: &Prk, info: &str) -> [u8; 32] {
    let mut out = [0_u8; 32];
    // 32 bytes are far below the most that HKDF gives (RFC 5869 §2.3).
    let _ = secrets.expand(&[info.as_bytes()], KeyLength).and_then(|okm| okm.fill(&mut out));
    out
}

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

impl Seal {
    /// Derives the key from a secret of at least 32 characters.
    ///
    /// # Errors
    /// [`WeakSeal`] if it is shorter.
    pub fn new(secret: &Secret) -> Result<Self, WeakSeal> {
        if secret.expose().len() < 32 {
            return Err(WeakSeal);
        }
        let secrets = Salt::new(HKDF_SHA256, b"vestibule").extract(secret.expose().as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, &expand(&secrets, "seal v1")).map_err(|_| WeakSeal)?;
        Ok(Self { key: LessSafeKey::new(key), secrets })
    }

    /// Another lasting secret of this installation, for that purpose and no other.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        expand(&self.secrets, &format!("derived for {purpose}"))
    }

    /// Seals `plain` for `purpose` (a kind and an id): nonce, ciphertext, tag.
    #[must_use]
    pub fn seal(&self, dice: &dyn Dice, purpose: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0_u8; NONCE_LEN];
        dice.fill(&mut nonce);
        let mut body = plain.to_vec();
        // Only lengths beyond 2^36 bytes can fail; an empty result never opens.
        let sealed = self.key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(purpose.as_bytes()),
            &mut body,
        );
        if sealed.is_err() {
            return Vec::new();
        }
        let mut whole = nonce.to_vec();
        whole.append(&mut body);
        whole
    }

    /// Opens what was sealed for the same `purpose` under the same secret; `None` for anything else.
    #[must_use]
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut body).ok()?;
        Some(plain.to_vec())
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Dice for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a257_a_sealed_value_opens_for_its_purpose_and_secret_only() {
        let secret = Secret::new("0123456789abcdef0123456789abcdef");
        let seal = Seal::new(&secret).expect("long enough");
        let sealed = seal.seal(&Fixed, "key k1", b"plain");
        assert_eq!(seal.open("key k1", &sealed).as_deref(), Some(b"plain".as_slice()));
        assert_eq!(seal.open("key k2", &sealed), None);
        let other = Seal::new(&Secret::new("x123456789abcdef0123456789abcdef")).expect("long enough");
        assert_eq!(other.open("key k1", &sealed), None);
        assert!(Seal::new(&Secret::new("short")).is_err());
    }
}
