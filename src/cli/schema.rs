//! `vestibule schema`: what editors need to check the files while they are written.

use std::process::ExitCode;

use serde_json::{Map, Value};

use super::say;
use crate::config::{SchemaKind, schema};

/// Prints the schema of one kind of file, or of all by kind.
///
/// # Errors
/// When the schema can't be printed.
pub fn run(kind: Option<&str>) -> anyhow::Result<ExitCode> {
    let wanted = kind.and_then(|kind| SchemaKind::ALL.into_iter().find(|known| known.as_str() == kind));
    let document = match wanted {
        Some(kind) => schema(kind),
        None => {
            let all = SchemaKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), schema(kind)));
            Value::Object(all.collect::<Map<String, Value>>())
        }
    };
    say(serde_json::to_string_pretty(&document)?);
    Ok(ExitCode::SUCCESS)
}
