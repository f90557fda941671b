//! Leaving: from a sign-out request to its end here, at clients and at identity providers.

mod logout_forward;
mod logout_pages;
mod logout_request;
