//! One attribute's value as it comes: blank, text for a boolean, a bare string for an object; and as it is stored.
