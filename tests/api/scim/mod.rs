//! The provisioned directory as provisioning services see it.

mod conditions;
mod confirmed;
mod credentials;
mod dialects;
mod documents;
mod full_disk;
mod groups;
mod hostile;
mod identity;
mod isolation;
mod limits;
mod lists;
mod logins;
mod protocol;
mod seen;
mod sync_tokens;
mod tombstones;
mod users;

use crate::world::World;

/// A world whose directory is provisioned.
fn world() -> World {
    World::with(|setup, _| {
        setup.provisioned();
    })
}

/// The same from a source with that preset.
fn world_of(source: &str) -> World {
    World::with(|setup, _| {
        setup.provisioned().edit("directories/contoso.toml", "source = \"generic\"", &format!("source = \"{source}\""));
    })
}
