//! SCIM 2.0 (RFC 7644) as errands: a credential becomes a [`pass::Pass`], and a [`desk::Desk`] does with it what is asked.

pub mod refusal;
pub mod pass;
pub mod desk;
pub mod users;
pub mod members;
pub mod large;
pub mod groups;
pub mod walk;
pub mod list;
pub mod search;
pub mod documents;
