//! SCIM 2.0 (RFC 7643, RFC 7644, RFC 9865): schema, filter, path, PATCH, and what Entra and Okta make of them. Pure:
//! bodies in, users and groups as they should be out.

pub mod urn;
pub mod error;
pub mod guid;
#[cfg(test)]
pub(crate) mod samples;
pub mod schema;
pub mod json;
mod writer;
pub mod confirmed;
pub mod changes;
pub mod notes;
pub mod reading;
pub mod several;
pub mod value;
pub mod member;
pub mod body;
pub mod filter;
pub mod path;
pub mod patch;
pub mod user;
pub mod group;
pub mod lifecycle;
pub mod list;
mod chosen;
pub mod render;
pub mod page;
pub mod documents;

#[cfg(test)]
mod patch_tests;

pub use error::{ScimError, ScimType};
pub use schema::{Schema, Schemas};
