//! Who is signed out, by whom, and who is not; and what is told to whom.

mod deaf;
mod logout_forward;
mod logout_pages;
mod logout_request;
mod one_browser;
pub mod stage;
mod told;
mod upstream_back;
mod upstream_bad;
mod upstream_front;
mod upstream_store;
mod upstream_world;
