//! Who is signed out, by whom, and who is not.

mod one_browser;
mod upstream_back;
mod upstream_bad;
mod upstream_front;
mod upstream_store;
mod upstream_world;
