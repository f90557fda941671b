//! The rules, each with what breaks it in a running server.

use vestibule::base::{Clock as _, Span};
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
    /// The database knows that the session was signed out; the store, restored from a copy, doesn't.
    SignedOut,
    /// The same of a token or family that was revoked.
    Revoked,
    ScopeRemoved,
    /// The client has no refresh tokens any more, and no tokens in its own name.
    GrantRemoved,
    /// The client may no longer have refresh tokens of this kind.
    KindRemoved,
    /// The answer's redirect URI is no longer the client's.
    UriRemoved,
}

/// A second directory, in which nobody is.
const OTHER: &str = r#"name = "Other"
domains = ["other.example"]
default_domain = "other.example"
source = "generic"
type = "provisioned"
"#;

impl Rule {
    /// Whether it is known before the person is: then nothing is asked of the identity provider any more.
    pub const fn is_seen_at_once(self) -> bool {
        matches!(
            self,
            Self::IdpDisabled | Self::IdpGone | Self::IdpNotAllowed | Self::ClientDisabled | Self::UriRemoved
        )
    }

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
                world.server.advance(Span::secs(1));
                set(world, prepared, Activity::Inactive);
                set(world, prepared, Activity::Active);
            }
            Self::SignedOut => {
                let sign_outs = &world.server.running().ports().directory.sign_outs;
                let (now, until) = (world.server.now(), world.server.now().plus(Span::hours(1)));
                block_on(sign_outs.sign_out(&prepared.sid, now, until, Vec::new())).expect("the database works");
            }
            Self::Revoked => {
                let families = &world.server.running().ports().directory.families;
                block_on(families.revoke(&prepared.family(), world.server.now())).expect("the database works");
            }
            Self::ScopeRemoved => world.change(|folder| {
                edit(folder, "clients/access.toml", "\"email\", ", "");
                edit(folder, "clients/access.toml", ", \"READ_ONLY_TENANT_ADMIN\"", "");
            }),
            Self::KindRemoved => world.change(|folder| {
                let bound = "refresh_without_offline = ";
                if prepared.is_bound() {
                    edit(folder, "clients/access.toml", &format!("{bound}true"), &format!("{bound}false"));
                } else {
                    edit(folder, "clients/access.toml", ", \"offline_access\"", "");
                }
            }),
            Self::UriRemoved => {
                world.change(|folder| edit(folder, "clients/access.toml", "\"https://rp.example.com/cb\", ", ""));
            }
            Self::GrantRemoved => world.change(|folder| {
                edit(folder, "clients/access.toml", ", \"refresh_token\", \"client_credentials\"", "");
            }),
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
