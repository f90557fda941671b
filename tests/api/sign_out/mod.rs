//! Who is signed out, by whom, who is told, and who is not.

mod logout_forward;
mod logout_pages;
mod logout_request;
mod one_browser;
mod upstream_back;
mod upstream_bad;
mod upstream_front;
mod upstream_store;
mod upstream_world;
