//! In the process.
