//! What SQLite's errors mean.

use rusqlite::{Error, ErrorCode};

use super::super::engine::SqlFault;

impl From<Error> for SqlFault {
    fn from(error: Error) -> Self {
        if is_damage(&error) {
            Self::Damage(error.to_string())
        } else if is_busy(&error) {
            Self::Busy
        } else if spoils_connection(&error) {
            Self::Down(error.to_string())
        } else {
            Self::Failed(error.to_string())
        }
    }
}

/// Another connection holds a lock; nothing is wrong.
fn is_busy(error: &Error) -> bool {
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

/// A write or fsync failed: what the log holds may not be on the disk, though it can be read.
pub(super) fn casts_doubt(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}
