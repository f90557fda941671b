//! The file in which the embedded store rests between an orderly end and the next start.
//!
//! Layout: the version byte, then what [`Seal`] made for that version's purpose. Inside: the version
//! byte again, then one item after the other: length of the kind's word (1 byte), the word, the
//! digest (32), the mark (1), the moment of expiry in ms (8, little endian), the length of the bytes
//! (4, little endian), the bytes. An item is a record, or, under the mark [`LISTED`], a member of the
//! list of that name, its text being the bytes. Version 1 knew no lists; it is still read.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::mark::Mark;
use super::roll::Member;
use crate::base::{Dice, Digest, Moment};
use crate::keys::seal::Seal;
use crate::state::{Kind, Name};

const VERSION: u8 = 2;
/// Stands where a record has the byte of its [`Mark`].
const LISTED: u8 = 3;

const fn purpose(version: u8) -> Option<&'static str> {
    match version {
        1 => Some("state v1"),
        2 => Some("state v2"),
        _ => None,
    }
}

/// All that rests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rest {
    pub records: Vec<Resting>,
    pub members: Vec<RestingMember>,
}

/// One member of a list at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RestingMember {
    pub list: Name,
    pub member: Member,
}

/// One record at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resting {
    pub name: Name,
    pub mark: Mark,
    pub expires: Moment,
    pub bytes: Box<[u8]>,
}

/// Why a file isn't taken over.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestFault {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it was sealed under another secret, or is damaged")]
    Foreign,
    #[error("it is damaged")]
    Broken,
}

/// Seals `rest` and writes it to `path` with mode 0600: the old file or the whole new one is
/// there, never half of it.
pub(super) fn write(path: &Path, seal: &Seal, dice: &dyn Dice, rest: &Rest) -> io::Result<()> {
    let folder = folder(path);
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?; // made with mode 0600
    file.write_all(&[VERSION])?;
    let purpose = purpose(VERSION).ok_or(io::ErrorKind::Unsupported)?;
    file.write_all(&seal.seal(dice, purpose, &encode(rest)))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|fault| fault.error)?;
    File::open(folder)?.sync_all()
}

/// Reads the file and deletes it, durably, before what was in it is handed out. `None` if there is none.
pub(super) fn take(path: &Path, seal: &Seal) -> Result<Option<Rest>, RestFault> {
    let sealed = match fs::read(path) {
        Ok(sealed) => sealed,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault.into()),
    };
    fs::remove_file(path)?;
    File::open(folder(path))?.sync_all()?;
    let (&version, body) = sealed.split_first().ok_or(RestFault::Broken)?;
    let purpose = purpose(version).ok_or(RestFault::Broken)?;
    let plain = seal.open(purpose, body).ok_or(RestFault::Foreign)?;
    decode(version, &plain).map(Some).ok_or(RestFault::Broken)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn encode(rest: &Rest) -> Vec<u8> {
    let mut plain = vec![VERSION];
    for Resting { name, mark, expires, bytes } in &rest.records {
        encode_item(&mut plain, *name, mark.byte(), *expires, bytes);
    }
    for RestingMember { list, member } in &rest.members {
        encode_item(&mut plain, *list, LISTED, member.ends, member.text.as_bytes());
    }
    plain
}

fn encode_item(plain: &mut Vec<u8>, name: Name, mark: u8, expires: Moment, bytes: &[u8]) {
    let word = name.kind.as_str();
    // Words of kinds are short, and no record is near 4 GiB: one that were would be left out whole.
    let (Ok(word_len), Ok(len)) = (u8::try_from(word.len()), u32::try_from(bytes.len())) else { return };
    plain.push(word_len);
    plain.extend_from_slice(word.as_bytes());
    plain.extend_from_slice(name.digest.as_bytes());
    plain.push(mark);
    plain.extend_from_slice(&expires.ms().to_le_bytes());
    plain.extend_from_slice(&len.to_le_bytes());
    plain.extend_from_slice(bytes);
}

fn decode(version: u8, plain: &[u8]) -> Option<Rest> {
    let (_, mut items) = plain.split_first().filter(|(inner, _)| **inner == version)?;
    let mut rest = Rest::default();
    while let Some((&word_len, tail)) = items.split_first() {
        let (word, tail) = tail.split_at_checked(usize::from(word_len))?;
        let (digest, tail) = tail.split_first_chunk::<32>()?;
        let (&mark, tail) = tail.split_first()?;
        let (expires, tail) = tail.split_first_chunk::<8>()?;
        let (len, tail) = tail.split_first_chunk::<4>()?;
        let (bytes, tail) = tail.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
        items = tail;
        // A kind that another version knew is nothing that this one could be asked for.
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str().as_bytes() == word) else { continue };
        let name = Name { kind, digest: Digest::from_bytes(*digest) };
        let expires = Moment::from_ms(i64::from_le_bytes(*expires));
        if mark == LISTED && version > 1 {
            let member = Member { ends: expires, text: std::str::from_utf8(bytes).ok()?.into() };
            rest.members.push(RestingMember { list: name, member });
        } else {
            rest.records.push(Resting { name, mark: Mark::of(mark)?, expires, bytes: bytes.into() });
        }
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Rest {
        let at = |kind, token: &str, mark, ms, bytes: &[u8]| Resting {
            name: Name::of(kind, token),
            mark,
            expires: Moment::from_ms(ms),
            bytes: bytes.into(),
        };
        let records = vec![
            at(Kind::Session, "s", Mark::Fresh, 1_800_000_000_000, b"session"),
            at(Kind::Code, "c", Mark::Taken, -1, b""),
        ];
        Rest { records, members: Vec::new() }
    }

    fn sample_with_a_list() -> Rest {
        let member = Member { ends: Moment::from_ms(1_800_000_000_000), text: "member".into() };
        let members = vec![RestingMember { list: Name::of(Kind::SessionsOfUser, "u"), member }];
        Rest { members, ..sample() }
    }

    /// What each version wrote for [`sample`] after its own byte; it must be read for ever.
    const GOLDEN: &str = concat!(
        "0773657373696f6e043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf890100505c18a301000007000000",
        "73657373696f6e",
        "04636f64652e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc602ffffffffffffffff00000000",
    );
    /// What version 2 wrote behind that for the list of [`sample_with_a_list`].
    const GOLDEN_LIST: &str = concat!(
        "1073657373696f6e735f6f665f757365720bfe935e70c321c7ca3afc75ce0d0ca2f98b5422e008bb31c00c6d7f1f1c0ad603",
        "00505c18a3010000060000006d656d626572",
    );

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
    }

    #[test]
    fn what_rests_in_version_1_is_read() {
        assert_eq!(decode(1, &bytes(&format!("01{GOLDEN}"))), Some(sample()));
        assert_eq!(decode(1, &bytes(&format!("01{GOLDEN}{GOLDEN_LIST}"))), None, "it had no lists");
    }

    #[test]
    fn what_rests_in_version_2_is_read_and_written_the_same() {
        let hex: String = encode(&sample_with_a_list()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, format!("02{GOLDEN}{GOLDEN_LIST}"));
        assert_eq!(decode(2, &bytes(&hex)), Some(sample_with_a_list()));
    }

    #[test]
    fn a_cut_or_lengthened_body_is_broken_and_never_a_panic() {
        let whole = encode(&sample_with_a_list());
        let first = 1 + 1 + 7 + 32 + 1 + 8 + 4 + 7;
        let ends = [1, first, first + 1 + 4 + 32 + 1 + 8 + 4, whole.len()];
        for n in 0..=whole.len() {
            assert_eq!(decode(2, &whole[..n]).is_some(), ends.contains(&n), "{n}");
        }
        let mut longer = whole.clone();
        longer.push(9);
        assert_eq!(decode(2, &longer), None);
        let mut no_text = whole.clone();
        *no_text.last_mut().unwrap() = 0xff;
        assert_eq!(decode(2, &no_text), None);
        assert_eq!(decode(1, &whole), None, "the version inside is another than the one outside");
        assert_eq!(decode(3, &whole), None);
    }
}
