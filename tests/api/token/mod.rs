//! The token endpoint and what its tokens open.

mod alike;
mod assertion;
mod code;
mod endpoint;
mod introspection;
mod machine;
mod pairwise;
mod published_keys;
mod race;
mod refresh;
mod two_secrets;
mod userinfo;
