//! From the authorization request to the answer at the client.

mod crossed;
mod legs;
mod people;
mod redirect_uri;
mod request;
mod session;
mod whole;
