//! A program in its own name (RFC 6749 §4.4).
