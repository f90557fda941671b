//! ServiceProviderConfig, ResourceTypes and Schemas: what is true of this directory, and nothing else.

use serde_json::Value;

use super::schema::Schemas;

/// RFC 7643 §5, RFC 9865 §4.
#[must_use]
pub fn service_provider_config(base: &str) -> Value {
    let _ = base;
    Value::Null
}

/// RFC 7643 §6: each resource type by name.
#[must_use]
pub fn resource_types(base: &str, schemas: &Schemas) -> Vec<(&'static str, Value)> {
    let _ = (base, schemas);
    Vec::new()
}

/// RFC 7643 §7: each schema by URN, with the confirmed attributes.
#[must_use]
pub fn schemas(base: &str, schemas: &Schemas) -> Vec<(String, Value)> {
    let _ = (base, schemas);
    Vec::new()
}
