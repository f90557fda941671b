//! The seal secret: from the configuration, or a file beside the database that is made on first start.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::base::{Dice, Secret};
use crate::config::{DatabaseUrl, Server};
use crate::keys::seal::Seal;

/// The file's name beside the database `name.db`: `name.seal`.
#[must_use]
pub fn path(database: &Path) -> PathBuf {
    database.with_extension("seal")
}

/// The seal of this installation. A database that is there without its seal file is a fault, so that no new keys are
/// made in silence.
///
/// # Errors
/// What is wrong, and how to mend it.
pub fn open(server: &Server, dice: &dyn Dice) -> Result<Seal, String> {
    let (secret, source) = match &server.keys.seal {
        Some(secret) => (secret.clone(), "[keys] seal".to_owned()),
        None => beside_database(&server.database, dice)?,
    };
    Seal::new(&secret).map_err(|fault| format!("{source}: {fault}"))
}

/// The secret, and where it is from.
fn beside_database(database: &DatabaseUrl, dice: &dyn Dice) -> Result<(Secret, String), String> {
    let DatabaseUrl::Sqlite(database) = database else {
        return Err("with PostgreSQL, [keys] seal must be given".to_owned());
    };
    let file = path(database);
    let secret = match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Secret::new(text.trim())),
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {fault}", file.display())),
        Err(_) if database.exists() => Err(format!(
            "{} is missing, and {} is there: put the file back, or set [keys] seal to what it held",
            file.display(),
            database.display()
        )),
        Err(_) => make(&file, dice).map_err(|fault| format!("{}: {fault}", file.display())),
    };
    secret.map(|secret| (secret, file.display().to_string()))
}

fn make(file: &Path, dice: &dyn Dice) -> std::io::Result<Secret> {
    if let Some(folder) = file.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let secret = dice.token();
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    out.write_all(secret.as_bytes())?;
    out.write_all(b"\n")?;
    out.sync_all()?;
    Ok(Secret::new(secret))
}
