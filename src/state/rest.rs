//! The file in which the embedded store rests between an orderly end and the next start.
//!
//! Layout: the version byte, then what [`Seal`] made for the purpose [`PURPOSE`]. Inside: the version
//! byte again, then one record after the other: length of the kind's word (1 byte), the word, the
//! digest (32), the mark (1), the moment of expiry in ms (8, little endian), the length of the bytes
//! (4, little endian), the bytes.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::mark::Mark;
use crate::base::{Dice, Digest, Moment};
use crate::keys::seal::Seal;
use crate::state::{Kind, Name};

const VERSION: u8 = 1;
const PURPOSE: &str = "state v1";

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

/// Seals `records` and writes them to `path` with mode 0600: the old file or the whole new one is
/// there, never half of it.
pub(super) fn write(path: &Path, seal: &Seal, dice: &dyn Dice, records: &[Resting]) -> io::Result<()> {
    let folder = folder(path);
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?; // made with mode 0600
    file.write_all(&[VERSION])?;
    file.write_all(&seal.seal(dice, PURPOSE, &encode(records)))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|fault| fault.error)?;
    File::open(folder)?.sync_all()
}

/// Reads the file and deletes it, durably, before its records are handed out. `None` if there is none.
pub(super) fn take(path: &Path, seal: &Seal) -> Result<Option<Vec<Resting>>, RestFault> {
    let sealed = match fs::read(path) {
        Ok(sealed) => sealed,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault.into()),
    };
    fs::remove_file(path)?;
    File::open(folder(path))?.sync_all()?;
    let body = match sealed.split_first() {
        Some((&VERSION, body)) => body,
        _ => return Err(RestFault::Broken),
    };
    let plain = seal.open(PURPOSE, body).ok_or(RestFault::Foreign)?;
    decode(&plain).map(Some).ok_or(RestFault::Broken)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn encode(records: &[Resting]) -> Vec<u8> {
    let mut plain = vec![VERSION];
    for record in records {
        let word = record.name.kind.as_str();
        // Words of kinds are short, and no record is near 4 GiB: one that were would be left out whole.
        let (Ok(word_len), Ok(len)) = (u8::try_from(word.len()), u32::try_from(record.bytes.len())) else { continue };
        plain.push(word_len);
        plain.extend_from_slice(word.as_bytes());
        plain.extend_from_slice(record.name.digest.as_bytes());
        plain.push(record.mark.byte());
        plain.extend_from_slice(&record.expires.ms().to_le_bytes());
        plain.extend_from_slice(&len.to_le_bytes());
        plain.extend_from_slice(&record.bytes);
    }
    plain
}

fn decode(plain: &[u8]) -> Option<Vec<Resting>> {
    let (&VERSION, mut rest) = plain.split_first()? else { return None };
    let mut records = Vec::new();
    while let Some((&word_len, tail)) = rest.split_first() {
        let (word, tail) = tail.split_at_checked(usize::from(word_len))?;
        let (digest, tail) = tail.split_first_chunk::<32>()?;
        let (&mark, tail) = tail.split_first()?;
        let (expires, tail) = tail.split_first_chunk::<8>()?;
        let (len, tail) = tail.split_first_chunk::<4>()?;
        let (bytes, tail) = tail.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
        rest = tail;
        // A kind that another version knew is nothing that this one could be asked for.
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str().as_bytes() == word) else { continue };
        records.push(Resting {
            name: Name { kind, digest: Digest::from_bytes(*digest) },
            mark: Mark::of(mark)?,
            expires: Moment::from_ms(i64::from_le_bytes(*expires)),
            bytes: bytes.into(),
        });
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Resting> {
        let at = |kind, token: &str, mark, ms, bytes: &[u8]| Resting {
            name: Name::of(kind, token),
            mark,
            expires: Moment::from_ms(ms),
            bytes: bytes.into(),
        };
        vec![
            at(Kind::Session, "s", Mark::Fresh, 1_800_000_000_000, b"session"),
            at(Kind::Code, "c", Mark::Taken, -1, b""),
        ]
    }

    /// What version 1 wrote for [`sample`]; it must be read for ever.
    const GOLDEN_V1: &str = concat!(
        "01",
        "0773657373696f6e043a718774c572bd8a25adbeb1bfcd5c0256ae11cecf9f9c3f925d0e52beaf890100505c18a301000007000000",
        "73657373696f6e",
        "04636f64652e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc602ffffffffffffffff00000000",
    );

    #[test]
    fn records_at_rest_of_version_1_are_read_and_written_the_same() {
        let hex: String = encode(&sample()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, GOLDEN_V1);
        assert_eq!(decode(&encode(&sample())), Some(sample()));
    }

    #[test]
    fn a_cut_or_lengthened_body_is_broken_and_never_a_panic() {
        let whole = encode(&sample());
        let ends = [1, 1 + 1 + 7 + 32 + 1 + 8 + 4 + 7, whole.len()];
        for n in 0..=whole.len() {
            assert_eq!(decode(&whole[..n]).is_some(), ends.contains(&n), "{n}");
        }
        let mut longer = whole.clone();
        longer.push(9);
        assert_eq!(decode(&longer), None);
        let mut later = whole;
        later[0] = 2;
        assert_eq!(decode(&later), None);
    }
}
