//! What strangers can do by sheer number, and what the house shows of itself.

mod crowds;
mod injected;
mod shown;
