//! Checking of client secrets: plain ones, and Argon2id hashes, which cost 50 ms each and are therefore
//! checked once per secret.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params};
use aws_lc_rs::hmac;

use crate::base::Secret;
use crate::oidc::client::ClientCredential;

/// Memory of a hash that we are ready to compute, in KiB.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Passes over that memory.
const PASSES_MAX: u32 = 16;

/// Why a text can't be a client's `secret_hash`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashFault {
    #[error("it is no hash in PHC format ($argon2id$v=19$m=…,t=…,p=…$salt$hash)")]
    Malformed,
    #[error("it is of another kind than argon2id")]
    Kind,
    #[error("its parameters cost more than 256 MiB or 16 passes")]
    Costly,
}

/// Checks that a `secret_hash` can be used.
///
/// # Errors
/// [`HashFault`].
pub fn check_hash(phc: &str) -> Result<(), HashFault> {
    let hash = PasswordHash::new(phc).map_err(|_| HashFault::Malformed)?;
    if hash.algorithm != Algorithm::Argon2id.ident() {
        return Err(HashFault::Kind);
    }
    let params = Params::try_from(&hash).map_err(|_| HashFault::Malformed)?;
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(HashFault::Malformed);
    }
    if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX {
        return Err(HashFault::Costly);
    }
    Ok(())
}

/// What can be said about a presented secret without hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quick {
    Right,
    Wrong,
    /// Ask [`RememberedSecrets::slow`], off the workers.
    Hash,
}

/// A secret presented by somebody who says to be a client.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The credential of the client of that id; `None` if there is no such client.
    pub credential: Option<&'a ClientCredential>,
    /// Any Argon2id hash of the configuration, if it has one ([`reference_hash`]).
    pub reference: Option<&'a Secret>,
    pub secret: &'a Secret,
}

/// The hash against which secrets of unknown clients are checked in vain, so that they cost what
/// wrong secrets of known ones cost.
#[must_use]
pub fn reference_hash<'a>(mut credentials: impl Iterator<Item = &'a ClientCredential>) -> Option<&'a Secret> {
    credentials.find_map(|credential| match credential {
        ClientCredential::SecretHash(hash) => Some(hash),
        _ => None,
    })
}

/// Remembers which secrets were found right for which hash, as keyed digests: what it holds is of no
/// use outside this process. Wrong secrets are not remembered.
pub struct RememberedSecrets {
    key: hmac::Key,
    capacity: usize,
    right: Mutex<Right>,
}

#[derive(Default)]
struct Right {
    tags: HashSet<[u8; 32]>,
    oldest_first: VecDeque<[u8; 32]>,
}

impl RememberedSecrets {
    /// `process_key`: 32 fresh random bytes. `capacity`: how many secrets are remembered at a time.
    #[must_use]
    pub fn new(process_key: &[u8; 32], capacity: usize) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, process_key), capacity, right: Mutex::default() }
    }

    /// Decides without hashing where it can.
    ///
    /// As soon as the configuration has one hash, every *no* takes one hash: for an unknown client, for
    /// a wrong plain secret, for a client that has no secret at all. Their times tell nothing apart.
    #[must_use]
    pub fn quick(&self, presented: Presented<'_>) -> Quick {
        let secret = presented.secret.expose();
        if secret.is_empty() {
            return Quick::Wrong;
        }
        let right = match presented.credential {
            Some(ClientCredential::Secret(expected)) => !expected.expose().is_empty() && expected.matches(secret),
            Some(ClientCredential::SecretHash(hash)) => {
                let tag = self.tag(hash, presented.secret);
                self.lock().tags.contains(&tag)
            }
            _ => false,
        };
        let hashes =
            presented.reference.is_some() || matches!(presented.credential, Some(ClientCredential::SecretHash(_)));
        match (right, hashes) {
            (true, _) => Quick::Right,
            (false, true) => Quick::Hash,
            (false, false) => Quick::Wrong,
        }
    }

    /// Hashes the secret and says whether it is right; 20–70 ms of a core. Bound how many run at a time.
    #[must_use]
    pub fn slow(&self, presented: Presented<'_>) -> bool {
        let Some(ClientCredential::SecretHash(hash)) = presented.credential else {
            if let Some(reference) = presented.reference {
                let _ = std::hint::black_box(verifies(reference, presented.secret));
            }
            return false;
        };
        let right = verifies(hash, presented.secret);
        if right {
            self.remember(self.tag(hash, presented.secret));
        }
        right
    }

    fn tag(&self, hash: &Secret, secret: &Secret) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        // With its length before it, no hash can end where a secret begins.
        context.update(&hash.expose().len().to_be_bytes());
        context.update(hash.expose().as_bytes());
        context.update(secret.expose().as_bytes());
        let mut tag = [0_u8; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    fn remember(&self, tag: [u8; 32]) {
        let mut right = self.lock();
        if self.capacity == 0 || !right.tags.insert(tag) {
            return;
        }
        right.oldest_first.push_back(tag);
        while right.oldest_first.len() > self.capacity {
            if let Some(oldest) = right.oldest_first.pop_front() {
                right.tags.remove(&oldest);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Right> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for RememberedSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RememberedSecrets")
    }
}

fn verifies(phc: &Secret, secret: &Secret) -> bool {
    check_hash(phc.expose()).is_ok()
        && PasswordHash::new(phc.expose())
            .is_ok_and(|hash| Argon2::default().verify_password(secret.expose().as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHasher as _;

    use super::*;

    fn hash_of(secret: &str) -> Secret {
        let cheap = Params::new(64, 1, 1, None).expect("parameters");
        let argon = Argon2::new(Algorithm::Argon2id, argon2::Version::V0x13, cheap);
        let phc = argon.hash_password_with_salt(secret.as_bytes(), b"0123456789abcdef").expect("hashes");
        Secret::new(phc.to_string())
    }

    struct Hall {
        remembered: RememberedSecrets,
        reference: Option<Secret>,
    }

    impl Hall {
        fn new(capacity: usize, reference: Option<Secret>) -> Self {
            Self { remembered: RememberedSecrets::new(&[7; 32], capacity), reference }
        }

        fn ask(&self, credential: Option<&ClientCredential>, secret: &str) -> (Quick, bool) {
            let secret = Secret::new(secret);
            let presented = Presented { credential, reference: self.reference.as_ref(), secret: &secret };
            let quick = self.remembered.quick(presented);
            (quick, quick == Quick::Right || (quick == Quick::Hash && self.remembered.slow(presented)))
        }
    }

    #[test]
    fn a_right_secret_is_hashed_once() {
        let hall = Hall::new(10, None);
        let credential = ClientCredential::SecretHash(hash_of("open"));
        assert_eq!(hall.ask(Some(&credential), "open"), (Quick::Hash, true));
        assert_eq!(hall.ask(Some(&credential), "open"), (Quick::Right, true));
        let changed = ClientCredential::SecretHash(hash_of("other"));
        assert_eq!(hall.ask(Some(&changed), "open"), (Quick::Hash, false), "remembered for its own hash only");
    }

    #[test]
    fn wrong_secrets_are_not_remembered_and_right_ones_boundedly() {
        let hall = Hall::new(2, None);
        let credential = |n: u8| ClientCredential::SecretHash(hash_of(&format!("secret {n}")));
        assert_eq!(hall.ask(Some(&credential(1)), "wrong"), (Quick::Hash, false));
        assert_eq!(hall.ask(Some(&credential(1)), "wrong"), (Quick::Hash, false));
        assert_eq!(hall.remembered.lock().tags.len(), 0);
        for n in 1..=3 {
            assert_eq!(hall.ask(Some(&credential(n)), &format!("secret {n}")), (Quick::Hash, true));
        }
        assert_eq!(hall.remembered.lock().tags.len(), 2);
        assert_eq!(hall.ask(Some(&credential(3)), "secret 3"), (Quick::Right, true));
        assert_eq!(hall.ask(Some(&credential(1)), "secret 1"), (Quick::Hash, true), "the oldest was forgotten");
    }

    #[test]
    fn a085_every_no_takes_the_same_way() {
        let plain = ClientCredential::Secret(Secret::new("open"));
        let hashed = ClientCredential::SecretHash(hash_of("open"));
        let keys = ClientCredential::Keys(String::new());
        let callers = [None, Some(&plain), Some(&keys), Some(&ClientCredential::Public)];
        let without_hashes = Hall::new(10, None);
        for credential in callers {
            assert_eq!(without_hashes.ask(credential, "wrong"), (Quick::Wrong, false));
        }
        let reference = reference_hash([&plain, &hashed].into_iter()).cloned();
        assert!(reference.is_some());
        let with_hashes = Hall::new(10, reference);
        for credential in callers.into_iter().chain([Some(&hashed)]) {
            assert_eq!(with_hashes.ask(credential, "wrong"), (Quick::Hash, false));
        }
        assert_eq!(with_hashes.ask(None, "open"), (Quick::Hash, false), "even the reference's own secret");
        assert_eq!(with_hashes.ask(Some(&plain), "open"), (Quick::Right, true));
    }

    #[test]
    fn a084_an_empty_secret_is_never_right() {
        let hall = Hall::new(10, None);
        for credential in [ClientCredential::Secret(Secret::new("")), ClientCredential::SecretHash(hash_of(""))] {
            assert_eq!(hall.ask(Some(&credential), ""), (Quick::Wrong, false));
        }
        assert_eq!(hall.ask(Some(&ClientCredential::Public), "x"), (Quick::Wrong, false), "a096");
    }

    #[test]
    fn only_argon2id_hashes_of_bearable_cost_are_accepted() {
        assert_eq!(check_hash(hash_of("x").expose()), Ok(()));
        let (salt, hash) = ("MDEyMzQ1Njc4OWFiY2RlZg", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let phc = |kind: &str, costs: &str| format!("${kind}$v=19${costs}${salt}${hash}");
        assert_eq!(check_hash(&phc("argon2id", "m=19456,t=2,p=1")), Ok(()));
        assert_eq!(check_hash(&phc("argon2i", "m=19456,t=2,p=1")), Err(HashFault::Kind));
        assert_eq!(check_hash(&phc("argon2id", "m=4194304,t=2,p=1")), Err(HashFault::Costly));
        assert_eq!(check_hash(&phc("argon2id", "m=19456,t=99,p=1")), Err(HashFault::Costly));
        for broken in ["", "open", "$argon2id$v=19$m=19456,t=2,p=1", "$2b$12$abc"] {
            assert!(check_hash(broken).is_err(), "{broken}");
            let hall = Hall::new(1, None);
            let credential = ClientCredential::SecretHash(Secret::new(broken));
            assert_eq!(hall.ask(Some(&credential), "open"), (Quick::Hash, false));
        }
    }
}
