//! What stands in Redis: the key of a record, and its stored value; the key of a list.
//!
//! Layout of a value, version 1: version (1 byte), mark (1), epoch (16), tag (16), sealed bytes. The
//! scripts read the mark, the epoch and the tag, so these are in clear. All are bound to the sealed
//! bytes but the tag, which is a keyed hash of them: sealing the same bytes twice gives
//! different values, and a script must see whether a value still is what the caller has read.

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::{Dice, Digest};
use crate::keys::seal::Seal;
use crate::state::Name;
use crate::state::mark::Mark;

const VERSION: u8 = 1;
const TAG_BYTES: usize = 16;

/// One uninterrupted history of a server's data: it changes with a restart, a restore and a fail-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(pub [u8; 16]);

impl Epoch {
    /// Of records that outlive their epoch, and of every residue.
    pub const NONE: Self = Self([0; 16]);

    /// From `run_id`, new with every start, and `master_replid`, new with every promotion and resync.
    pub fn of(run_id: &str, master_replid: &str) -> Self {
        let digest = Digest::of(format!("{run_id}\n{master_replid}"));
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Self(bytes)
    }
}

/// A stored value, opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub mark: Mark,
    pub epoch: Epoch,
    pub bytes: Vec<u8>,
}

/// The key of a record. The braces are a hash tag: whatever is kept under a name stays in one slot.
pub(super) fn key(name: Name) -> String {
    format!("vestibule:{{{}:{}}}", name.kind.as_str(), name.digest.base64url())
}

/// The key of a list: one that no record can have.
pub(super) fn list_key(name: Name) -> String {
    format!("vestibule:list:{{{}:{}}}", name.kind.as_str(), name.digest.base64url())
}

/// Seals and opens values.
pub(super) struct Values {
    seal: Arc<Seal>,
    dice: Arc<dyn Dice>,
    tag_key: hmac::Key,
}

/// The one nonce that is no random one; see [`Values::new`].
struct ZeroNonce;

impl Dice for ZeroNonce {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

impl Values {
    pub fn new(seal: Arc<Seal>, dice: Arc<dyn Dice>) -> Self {
        // The key of the tags is the same for everybody who has the seal secret, and for nobody else:
        // a constant, encrypted under a nonce that random ones meet with probability 2^-96.
        let tag_key = hmac::Key::new(hmac::HMAC_SHA256, &seal.seal(&ZeroNonce, "state tag key v1", &[0; 32]));
        Self { seal, dice, tag_key }
    }

    pub fn write(&self, key: &str, mark: Mark, epoch: Epoch, bytes: &[u8]) -> Vec<u8> {
        let sealed = self.seal.seal(self.dice.as_ref(), &purpose(key, mark, epoch), bytes);
        let mut value = Vec::with_capacity(2 + epoch.0.len() + TAG_BYTES + sealed.len());
        value.extend_from_slice(&[VERSION, mark.byte()]);
        value.extend_from_slice(&epoch.0);
        value.extend_from_slice(&self.tag(key, bytes));
        value.extend_from_slice(&sealed);
        value
    }

    /// `None` for what was sealed under another secret or moved here from another name, and for what
    /// is damaged.
    pub fn read(&self, key: &str, value: &[u8]) -> Option<Stored> {
        let (&[VERSION, mark], rest) = value.split_first_chunk()? else { return None };
        let (epoch, rest) = rest.split_first_chunk()?;
        let (_tag, sealed) = rest.split_first_chunk::<TAG_BYTES>()?;
        let (mark, epoch) = (Mark::of(mark)?, Epoch(*epoch));
        let bytes = self.seal.open(&purpose(key, mark, epoch), sealed)?;
        Some(Stored { mark, epoch, bytes })
    }

    /// By which a script knows `bytes` under `key` again without seeing them.
    pub fn tag(&self, key: &str, bytes: &[u8]) -> [u8; TAG_BYTES] {
        let mut context = hmac::Context::with_key(&self.tag_key);
        context.update(key.as_bytes());
        context.update(&[0]);
        context.update(bytes);
        let mut tag = [0; TAG_BYTES];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }
}

fn purpose(key: &str, mark: Mark, epoch: Epoch) -> String {
    format!("state v1 {key} {} {}", mark.byte(), URL_SAFE_NO_PAD.encode(epoch.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Secret;
    use crate::state::Kind;

    struct Fixed(u8);
    impl Dice for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn values(secret: &str, nonce: u8) -> Values {
        Values::new(Arc::new(Seal::new(&Secret::new(secret)).unwrap()), Arc::new(Fixed(nonce)))
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const EPOCH: Epoch = Epoch([0xee; 16]);

    #[test]
    fn values_of_version_1_are_read_and_written_the_same() {
        let key = key(Name::of(Kind::Code, "token"));
        assert_eq!(key, "vestibule:{code:PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A}");
        let list = list_key(Name::of(Kind::SessionsOfUser, "token"));
        assert_eq!(list, "vestibule:list:{sessions_of_user:PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A}");
        let golden = concat!(
            "0101eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeff2959da7f2d41400a093e9990fad81b",
            "0707070707070707070707073b8135d7d26ddfc6872464362a3c392d1720aa5233",
        );
        assert_eq!(hex(&values(SECRET, 7).write(&key, Mark::Fresh, EPOCH, b"plain")), golden);
        let value: Vec<u8> =
            (0..golden.len() / 2).map(|n| u8::from_str_radix(&golden[2 * n..2 * n + 2], 16).unwrap()).collect();
        let stored = Stored { mark: Mark::Fresh, epoch: EPOCH, bytes: b"plain".to_vec() };
        assert_eq!(values(SECRET, 1).read(&key, &value), Some(stored));
    }

    #[test]
    fn a_value_opens_only_where_and_as_what_it_was_written() {
        let here = key(Name::of(Kind::Code, "a"));
        let there = key(Name::of(Kind::Session, "a"));
        let value = values(SECRET, 7).write(&here, Mark::Taken, EPOCH, b"plain");
        assert!(values(SECRET, 9).read(&here, &value).is_some());
        assert_eq!(values(SECRET, 7).read(&there, &value), None);
        assert_eq!(values("x123456789abcdef0123456789abcdef", 7).read(&here, &value), None);
        for at in (0..18).chain(34..value.len()) {
            let mut changed = value.clone();
            changed[at] ^= 3;
            assert_eq!(values(SECRET, 7).read(&here, &changed), None, "byte {at}");
        }
        for len in 0..value.len() {
            assert_eq!(values(SECRET, 7).read(&here, &value[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn a_tag_knows_the_same_bytes_under_the_same_key_and_secret_only() {
        let tag = |secret, key, bytes: &[u8]| values(secret, 7).tag(key, bytes);
        let one = tag(SECRET, "k", b"bytes");
        assert_eq!(one, values(SECRET, 200).tag("k", b"bytes"));
        assert_ne!(one, tag(SECRET, "k", b"bytez"));
        assert_ne!(one, tag(SECRET, "l", b"bytes"));
        assert_ne!(one, tag("x123456789abcdef0123456789abcdef", "k", b"bytes"));
    }
}
