//! Everything that the files describe, before it is known whether all of it is right.

use super::view::View;
use super::{Server, Service};
use crate::identity::Directory;
use crate::oidc::{Client, Idp};

/// One file's object: what it says, and what it makes if that was right.
#[derive(Debug)]
pub struct Object<'a, T> {
    pub view: View<'a>,
    pub built: Option<T>,
}

impl<T> Object<'_, T> {
    /// The object's id.
    #[must_use]
    pub fn stem(&self) -> &str {
        &self.view.source.stem
    }
}

#[derive(Debug, Default)]
pub struct Objects<'a> {
    pub server: Option<Server>,
    pub directories: Vec<Object<'a, Directory>>,
    pub idps: Vec<Object<'a, Idp>>,
    pub clients: Vec<Object<'a, Client>>,
    pub services: Vec<Object<'a, Service>>,
}
