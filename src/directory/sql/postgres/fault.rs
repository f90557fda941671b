//! What PostgreSQL's errors mean.

use std::error::Error as _;

use tokio_postgres::Error;

use super::super::engine::SqlFault;

/// What `error` means for the statement that met it. Values that were bound never stand in it.
pub(super) fn fault(error: &Error) -> SqlFault {
    let Some(told) = error.as_db_error() else {
        // Broken off, closed, not understood: nothing is known about the connection any more.
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        return SqlFault::Down(format!("{error}{cause}"));
    };
    let code = told.code().code();
    match code {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => SqlFault::Busy,
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => SqlFault::Damage(format!("PostgreSQL says {code}: {}", told.message())),
        // read_only_sql_transaction: it is a standby now. feature_not_supported: a plan of before a migration.
        "25006" | "0A000" => SqlFault::Down(format!("PostgreSQL says {code}: {}", told.message())),
        _ if is_of_the_connection(code) => SqlFault::Down(format!("PostgreSQL says {code}: {}", told.message())),
        // A message about a statement may quote a value.
        _ => SqlFault::Failed(format!("PostgreSQL says {code}")),
    }
}

/// Connection exceptions, refused credentials, no such database, too many connections, shutdowns.
fn is_of_the_connection(code: &str) -> bool {
    ["08", "28", "3D", "57P"].iter().any(|class| code.starts_with(class)) || code == "53300"
}
