//! The rules, each with what breaks it in a running server.

use vestibule::base::Clock as _;
use vestibule::directory::Activity;
use vestibule::identity::UserId;

use crate::paths::Prepared;
use crate::support::server::{block_on, write_file};
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    IdpDisabled,
    IdpGone,
    IdpNotAllowed,
    ClientDisabled,
    UserInactive,
    OtherDirectory,
    DirectoryGone,
    SessionsEnded,
    ScopeRemoved,
}

/// A second directory, in which nobody is.
const OTHER: &str = r#"name = "Other"
domains = ["other.example"]
default_domain = "other.example"
source = "generic"
type = "provisioned"
"#;

impl Rule {
    /// Breaks the rule, and returns once that is in force.
    pub fn break_it(self, world: &World, prepared: &Prepared) {
        match self {
            Self::IdpDisabled => world.change(|folder| edit(folder, "idps/contoso.toml", ENABLED, "enabled = false")),
            Self::IdpGone => world.change(|folder| remove(folder, "idps/contoso.toml")),
            Self::IdpNotAllowed => {
                world.change(|folder| edit(folder, "clients/access.toml", "idps = []", "idps = [\"spare\"]"));
            }
            Self::ClientDisabled => {
                world.change(|folder| edit(folder, "clients/access.toml", ENABLED, "enabled = false"));
            }
            Self::UserInactive => set(world, prepared, Activity::Inactive),
            Self::OtherDirectory => world.change(move_away),
            Self::DirectoryGone => world.change(|folder| {
                move_away(folder);
                edit(folder, "idps/spare.toml", "directory = \"contoso\"", "directory = \"other\"");
                remove(folder, "directories/contoso.toml");
            }),
            Self::SessionsEnded => {
                world.server.advance(vestibule::base::Span::secs(1));
                set(world, prepared, Activity::Inactive);
                set(world, prepared, Activity::Active);
            }
            Self::ScopeRemoved => world.change(|folder| edit(folder, "clients/access.toml", "\"email\", ", "")),
        }
    }
}

const ENABLED: &str = "enabled = true";

fn move_away(folder: &std::path::Path) {
    write_file(&folder.join("directories/other.toml"), OTHER);
    edit(folder, "idps/contoso.toml", "directory = \"contoso\"", "directory = \"other\"");
    edit(folder, "idps/contoso.toml", "domains = [\"contoso.com\"]", "domains = [\"other.example\"]");
}

#[track_caller]
fn edit(folder: &std::path::Path, name: &str, from: &str, to: &str) {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).expect("the file is there");
    assert!(text.contains(from), "{name} has no `{from}`");
    write_file(&path, &text.replace(from, to));
}

fn remove(folder: &std::path::Path, name: &str) {
    std::fs::remove_file(folder.join(name)).expect("the file was there");
}

fn set(world: &World, prepared: &Prepared, activity: Activity) {
    let users = &world.server.running().ports().directory.users;
    let id = UserId(prepared.sub.clone());
    assert!(block_on(users.set_active(&id, activity, world.server.clock.now())).expect("the database works"));
}
