//! Users, groups, attributes, directories and how their sources speak: words of SCIM, without its protocol.

pub mod user;
pub mod group;
pub mod source;
pub mod dialect;
pub mod directory;

pub use dialect::Dialect;
pub use directory::{Directory, DirectoryKind};
pub use group::{GroupId, StoredGroup};
pub use source::Source;
pub use user::{StoredUser, User, UserId};
