//! Paths of PATCH (RFC 7644 §3.5.2): an attribute, a filter on its values, a part of them.
