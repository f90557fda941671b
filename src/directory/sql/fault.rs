//! What SQLite's errors mean.

use rusqlite::{Error, ErrorCode};

use crate::directory::DirectoryFault;

/// The fault that a request meets because of `error`.
pub(super) fn fault(error: &Error) -> DirectoryFault {
    if is_damage(error) {
        return DirectoryFault::Corrupt(error.to_string());
    }
    DirectoryFault::Unavailable(match is_busy(error) {
        true => "another process holds it".to_owned(),
        false => error.to_string(),
    })
}

/// An error of ours, from within a row or a transaction: what is stored makes no sense.
pub(super) fn senseless(what: impl Into<String>) -> Error {
    Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into().into())
}

/// An error of ours: the same as SQLite's for a lock that another connection holds.
pub(super) fn busy() -> Error {
    Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}

/// Another connection holds a lock; nothing is wrong.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// What stands in the file can't be read.
fn is_damage(error: &Error) -> bool {
    match error {
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => true,
        other => {
            matches!(other.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        }
    }
}

/// Whether the connection that met `error` may not be used again: after a failed write or fsync what
/// it holds in memory proves nothing about the disk, and a file that was read-only stays so for it.
pub(super) fn spoils_connection(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed
        )
    )
}
