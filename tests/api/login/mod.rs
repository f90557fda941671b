//! From the authorization request to the answer at the client.

mod crossed;
mod redirect_uri;
mod request;
mod whole;
