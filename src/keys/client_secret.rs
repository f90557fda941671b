//! Checking of client secrets: plain ones, and Argon2id hashes, which cost 50 ms each and are therefore
//! checked once per secret.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params};
use aws_lc_rs::hmac;

use crate::base::Secret;
use crate::oidc::client::{ClientCredential, ClientSecret};

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

/// Which of a client's secrets was presented, for the metrics alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The client has no other.
    Only,
    First,
    Second,
}

/// The hashing that a *no* costs, and a first *yes*. It owns what it needs, to be done off the workers.
///
/// As soon as the configuration has one hash, every *no* takes as many hashes as the client with the most of them has:
/// for an unknown client, for a wrong plain secret, for a client that has no secret at all. Their times tell nothing
/// apart as long as all hashes were made with the same parameters.
pub struct Hashing {
    credential: Vec<ClientSecret>,
    /// Checked in vain.
    decoys: Vec<Secret>,
    secret: Secret,
}

impl Hashing {
    /// What is to be hashed for a secret that isn't [`RememberedSecrets::known`]; `None`: nothing, the secret is wrong.
    /// `credential` is that of the client of the id that came, `all` are those of the whole configuration.
    pub fn of<'a>(
        credential: Option<&ClientCredential>,
        all: impl Iterator<Item = &'a ClientCredential>,
        secret: &Secret,
    ) -> Option<Self> {
        if secret.expose().is_empty() {
            return None;
        }
        let own = hashes(live(credential)).count();
        let most = all.map(|other| live(Some(other))).max_by_key(|live| hashes(live).count()).unwrap_or_default();
        let decoys: Vec<Secret> = hashes(most).skip(own).cloned().collect();
        let needed = own > 0 || !decoys.is_empty();
        needed.then(|| Self { credential: live(credential).to_vec(), decoys, secret: secret.clone() })
    }
}

fn live(credential: Option<&ClientCredential>) -> &[ClientSecret] {
    match credential {
        Some(ClientCredential::Secrets(live)) => live,
        _ => &[],
    }
}

fn hashes(live: &[ClientSecret]) -> impl Iterator<Item = &Secret> {
    live.iter().filter_map(|secret| match secret {
        ClientSecret::Hash(hash) => Some(hash),
        ClientSecret::Plain(_) => None,
    })
}

/// The place of the right one. Every one was asked, so that the time doesn't tell which it was.
fn which(right: &[bool]) -> Option<Which> {
    match right {
        [true] => Some(Which::Only),
        [true, _] => Some(Which::First),
        [_, true] => Some(Which::Second),
        _ => None,
    }
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

    /// The secret of the client that this is, by what can be told without hashing.
    #[must_use]
    pub fn known(&self, credential: Option<&ClientCredential>, secret: &Secret) -> Option<Which> {
        let text = secret.expose();
        let asked = live(credential).iter().map(|own| match own {
            ClientSecret::Plain(expected) => expected.matches(text),
            ClientSecret::Hash(hash) => self.remembers(&self.tag(hash, secret)),
        });
        let right: Vec<bool> = asked.collect();
        which(&right).filter(|_| !text.is_empty())
    }

    /// Hashes the secret and says which one it is; 20–70 ms of a core for each hash. Bound how many run at a time.
    #[must_use]
    pub fn hash(&self, hashing: &Hashing) -> Option<Which> {
        let asked = hashing.credential.iter().map(|own| match own {
            ClientSecret::Plain(expected) => expected.matches(hashing.secret.expose()),
            ClientSecret::Hash(hash) => {
                let right = verifies(hash, &hashing.secret);
                if right {
                    self.remember(self.tag(hash, &hashing.secret));
                }
                right
            }
        });
        let right: Vec<bool> = asked.collect();
        for decoy in &hashing.decoys {
            let _ = std::hint::black_box(verifies(decoy, &hashing.secret));
        }
        which(&right)
    }

    fn remembers(&self, tag: &[u8; 32]) -> bool {
        self.lock().tags.contains(tag)
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

    fn hashed(secret: &str) -> ClientSecret {
        ClientSecret::Hash(hash_of(secret))
    }

    fn plain(secret: &str) -> ClientSecret {
        ClientSecret::Plain(Secret::new(secret))
    }

    fn one(secret: ClientSecret) -> ClientCredential {
        ClientCredential::Secrets(vec![secret])
    }

    fn two(first: ClientSecret, second: ClientSecret) -> ClientCredential {
        ClientCredential::Secrets(vec![first, second])
    }

    /// How an answer came about.
    #[derive(Debug, PartialEq, Eq)]
    enum Way {
        AtOnce(Option<Which>),
        /// With so many hashes computed.
        Hashed(usize, Option<Which>),
    }
    use Way::{AtOnce, Hashed};
    use Which::{First, Only, Second};

    struct Hall {
        remembered: RememberedSecrets,
        /// Credentials of the other clients.
        others: Vec<ClientCredential>,
    }

    impl Hall {
        fn new(capacity: usize, others: Vec<ClientCredential>) -> Self {
            Self { remembered: RememberedSecrets::new(&[7; 32], capacity), others }
        }

        fn ask(&self, credential: Option<&ClientCredential>, secret: &str) -> Way {
            let secret = Secret::new(secret);
            if let Some(which) = self.remembered.known(credential, &secret) {
                return AtOnce(Some(which));
            }
            match Hashing::of(credential, self.others.iter().chain(credential), &secret) {
                None => AtOnce(None),
                Some(hashing) => {
                    let count = hashes(&hashing.credential).count() + hashing.decoys.len();
                    Hashed(count, self.remembered.hash(&hashing))
                }
            }
        }
    }

    #[test]
    fn a_right_secret_is_hashed_once() {
        let hall = Hall::new(10, Vec::new());
        let credential = one(hashed("open"));
        assert_eq!(hall.ask(Some(&credential), "open"), Hashed(1, Some(Only)));
        assert_eq!(hall.ask(Some(&credential), "open"), AtOnce(Some(Only)));
        let changed = one(hashed("other"));
        assert_eq!(hall.ask(Some(&changed), "open"), Hashed(1, None), "remembered for its own hash only");
    }

    #[test]
    fn of_two_live_secrets_each_is_good_and_no_other() {
        let credentials =
            [two(plain("new"), plain("old")), two(plain("new"), hashed("old")), two(hashed("new"), hashed("old"))];
        for (hashes, credential) in credentials.iter().enumerate() {
            let hall = Hall::new(10, Vec::new());
            let (new, old) = (hall.ask(Some(credential), "new"), hall.ask(Some(credential), "old"));
            let first = |count| if count == 2 { Hashed(2, Some(First)) } else { AtOnce(Some(First)) };
            let second = |count| if count > 0 { Hashed(count, Some(Second)) } else { AtOnce(Some(Second)) };
            assert_eq!((new, old), (first(hashes), second(hashes)), "each hash is computed, whichever is right");
            assert_eq!(hall.ask(Some(credential), "new"), AtOnce(Some(First)));
            assert_eq!(hall.ask(Some(credential), "old"), AtOnce(Some(Second)));
            for wrong in ["neither", "newold", "n", ""] {
                assert!(matches!(hall.ask(Some(credential), wrong), AtOnce(None) | Hashed(_, None)), "{wrong}");
            }
        }
        let hall = Hall::new(10, Vec::new());
        assert_eq!(hall.ask(Some(&credentials[2]), "old"), Hashed(2, Some(Second)));
        assert_eq!(hall.ask(Some(&one(plain("new"))), "old"), AtOnce(None), "taken out of the file");
        assert_eq!(hall.ask(Some(&one(hashed("new"))), "old"), Hashed(1, None), "taken out of the file");
    }

    #[test]
    fn wrong_secrets_are_not_remembered_and_right_ones_boundedly() {
        let hall = Hall::new(2, Vec::new());
        let credentials: Vec<_> = (0..=3).map(|n| one(hashed(&format!("secret {n}")))).collect();
        let ask = |n: usize, secret: &str| hall.ask(credentials.get(n), secret);
        assert_eq!(ask(1, "wrong"), Hashed(1, None));
        assert_eq!(ask(1, "wrong"), Hashed(1, None));
        assert_eq!(hall.remembered.lock().tags.len(), 0);
        for n in 1..=3 {
            assert_eq!(ask(n, &format!("secret {n}")), Hashed(1, Some(Only)));
        }
        assert_eq!(hall.remembered.lock().tags.len(), 2);
        assert_eq!(ask(3, "secret 3"), AtOnce(Some(Only)));
        assert_eq!(ask(1, "secret 1"), Hashed(1, Some(Only)), "the oldest was forgotten");
    }

    #[test]
    fn a085_every_no_takes_the_same_way() {
        let keys = ClientCredential::Keys(String::new());
        let clients = [one(plain("open")), two(plain("open"), plain("older")), keys, ClientCredential::Public];
        let callers = || clients.iter().map(Some).chain([None]);
        let without_hashes = Hall::new(10, Vec::new());
        for credential in callers() {
            assert_eq!(without_hashes.ask(credential, "wrong"), AtOnce(None));
        }
        let mixed = two(plain("open"), hashed("older"));
        let single = one(hashed("open"));
        let double = two(hashed("open"), hashed("older"));
        for (most, costliest) in [(1, &single), (1, &mixed), (2, &double)] {
            let with_hashes = Hall::new(10, vec![one(hashed("elsewhere")), costliest.clone(), one(plain("elsewhere"))]);
            for credential in callers().chain([Some(costliest), Some(&mixed), Some(&single)]) {
                assert_eq!(with_hashes.ask(credential, "wrong"), Hashed(most, None), "{credential:?}");
            }
            assert_eq!(with_hashes.ask(None, "open"), Hashed(most, None), "even the decoy's own secret");
            assert_eq!(with_hashes.ask(clients.first(), "open"), AtOnce(Some(Only)));
        }
    }

    #[test]
    fn a084_an_empty_secret_is_never_right() {
        let hall = Hall::new(10, vec![one(hashed("x"))]);
        for credential in [one(plain("")), one(hashed("")), two(plain(""), hashed("")), two(plain("x"), plain(""))] {
            assert_eq!(hall.ask(Some(&credential), ""), AtOnce(None));
        }
        let hall = Hall::new(10, Vec::new());
        assert_eq!(hall.ask(Some(&ClientCredential::Public), "x"), AtOnce(None), "a096");
        assert_eq!(hall.ask(Some(&ClientCredential::Secrets(Vec::new())), "x"), AtOnce(None));
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
            let hall = Hall::new(1, Vec::new());
            assert_eq!(hall.ask(Some(&one(ClientSecret::Hash(Secret::new(broken)))), "open"), Hashed(1, None));
        }
    }
}
