//! From the authorization request to the answer at the client.

mod crossed;
mod hint_guard;
mod hint_way;
mod legs;
mod matching;
mod redirect_uri;
mod request;
mod session;
mod whole;
