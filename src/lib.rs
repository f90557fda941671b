//! Vestibule: the entrance hall between a company's identity provider and its Workspace ONE services.
//!
//! Read the modules top to bottom; it is the order in which to learn the house. A module uses only
//! what is declared above it.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    clippy::disallowed_methods
)]

// Words
pub mod base;
pub mod oidc;
pub mod identity;
pub mod i18n;
pub mod audit;
// Decisions. Pure: no async, no IO, no clock, no dice.
pub mod scim;
pub mod hint;
pub mod keys;
pub mod token;
pub mod broker;
// Doors. A contract first, implementations after, one conformance suite each.
pub mod config;
pub mod state;
pub mod directory;
pub mod outbound;
pub mod upstream;
pub mod backchannel;
pub mod metrics;
// Errands. One async function per thing that somebody asks for.
pub mod flow;
pub mod jobs;
// Faces
pub mod pages;
pub mod web;
// Assembly
pub mod app;
pub mod demo;
pub mod cli;
