//! What the product's forerunner could not do, and this one does: a test for each of its known issues, whose name begins
//! with the words in which the issue was known. Each for Entra and for Okta, from the SCIM call to the login.

mod town;

mod clearing;
mod leaving;
mod lives;
mod mapping;
mod policy;
