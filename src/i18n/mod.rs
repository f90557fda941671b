//! Languages, their negotiation, and every text that a person reads. The texts stand in `locales/`,
//! one file per language, and nowhere else.

mod language;
mod messages;
mod page_error;

pub use language::{Language, negotiate};
pub use messages::text;
pub use page_error::PageError;
