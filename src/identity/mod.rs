//! Users, attributes, directories and sessions' standing: words of SCIM, without its protocol.

pub mod user;
pub mod directory;

pub use directory::{Directory, DirectoryKind};
pub use user::{User, UserId};
