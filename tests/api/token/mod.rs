//! The token endpoint and what its tokens open.

mod assertion;
mod code;
mod endpoint;
mod introspection;
mod machine;
mod race;
mod refresh;
mod userinfo;
