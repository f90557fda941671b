//! `directory removals`: deletions by policy that the guard holds, and a person's leave for them.

use std::process::ExitCode;

use serde_json::json;

use crate::app::parts::Parts;
use crate::cli::{Context, complain, say};
use crate::identity::Directory;
use crate::jobs::departures::held;

/// Says how many wait; with a number releases them, if no more than that wait.
///
/// # Errors
/// When the database can't be asked.
pub async fn removals(
    context: &Context,
    parts: &Parts,
    directory: &Directory,
    release: Option<u64>,
) -> anyhow::Result<ExitCode> {
    let upkeep = &parts.directory.upkeep;
    let waiting = held(&parts.directory, directory, parts.options.clock.now()).await?;
    let released = match release {
        Some(most) if waiting > most => {
            complain(format!("{waiting} deletions are held, more than {most}: none is released"));
            0
        }
        Some(_) if waiting > 0 => {
            let before = upkeep.released(&directory.id).await?;
            let done = upkeep.release(&directory.id, before, before.saturating_add(waiting)).await?;
            if done { waiting } else { 0 }
        }
        _ => 0,
    };
    let still = waiting - released;
    if context.json {
        say(json!({ "directory": directory.id, "held": still, "released": released }));
    } else if released > 0 {
        say(format!("{released} deletions are released; a running server carries them out at once"));
    } else if still > 0 {
        say(format!(
            "{still} deletions are held, since more than [guard] max_removals would go within an hour\n\
             release them: vestibule directory removals --directory {} --release {still}",
            directory.id
        ));
    } else {
        say("no deletion is held");
    }
    Ok(ExitCode::from(u8::from(release.is_some() && still > 0)))
}
