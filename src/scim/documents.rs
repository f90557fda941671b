//! ServiceProviderConfig, ResourceTypes and Schemas: what is true of this directory, and nothing else.

use serde_json::{Map, Value, json};

use super::list::{PAGE_DEFAULT, PAGE_MAX};
use super::schema::{
    Attribute, Case, Kind, Mutability, Plurality, ResourceType, Returned, Schema, Schemas, Sub, Uniqueness, group,
};
use super::urn;

/// RFC 7643 §5, RFC 9865 §4.
#[must_use]
pub fn service_provider_config(base: &str) -> Value {
    json!({
        "schemas": [urn::SERVICE_PROVIDER_CONFIG],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": PAGE_MAX },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": PAGE_DEFAULT,
            "maxPageSize": PAGE_MAX,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A token of this directory, long-lived or by the client credentials grant",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    })
}

/// RFC 7643 §6: each resource type by name.
#[must_use]
pub fn resource_types(base: &str, schemas: &Schemas) -> Vec<(&'static str, Value)> {
    [("User", "/Users", &schemas.user), ("Group", "/Groups", &schemas.group)]
        .into_iter()
        .map(|(name, endpoint, schema)| {
            let extensions: Vec<Value> =
                extensions(schema).into_iter().map(|urn| json!({ "schema": urn, "required": false })).collect();
            let document = json!({
                "schemas": [urn::RESOURCE_TYPE],
                "id": name,
                "name": name,
                "description": resource_description(schema.resource),
                "endpoint": endpoint,
                "schema": schema.urn(),
                "schemaExtensions": extensions,
                "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
            });
            (name, document)
        })
        .collect()
}

/// RFC 7643 §7: each schema by URN, with the confirmed attributes.
#[must_use]
pub fn schemas(base: &str, schemas: &Schemas) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for schema in [&schemas.user, &schemas.group] {
        let mut core = attributes(schema, schema.urn());
        core.push(match schema.resource {
            ResourceType::User => groups(),
            ResourceType::Group => members(),
        });
        let name = match schema.resource {
            ResourceType::User => "User",
            ResourceType::Group => "Group",
        };
        let description = resource_description(schema.resource);
        all.push(document(base, (schema.urn(), name), description, core));
        for urn in extensions(schema) {
            all.push(document(base, (urn, extension_name(urn)), "An extension", attributes(schema, urn)));
        }
    }
    all
}

const fn resource_description(resource: ResourceType) -> &'static str {
    match resource {
        ResourceType::User => "The people of the directory",
        ResourceType::Group => "The groups of the directory",
    }
}

fn document(base: &str, (urn, name): (&str, &str), description: &str, attributes: Vec<Value>) -> (String, Value) {
    let document = json!({
        "schemas": [urn::SCHEMA],
        "id": urn,
        "name": name,
        "description": description,
        "attributes": attributes,
        "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{urn}") },
    });
    (urn.to_owned(), document)
}

/// A name that a program can use for a type: `EnterpriseUser`; of one of the directory's own the part of its URN that
/// is its own.
fn extension_name(urn: &str) -> &str {
    match urn {
        urn::ENTERPRISE => "EnterpriseUser",
        urn::WS1B_USER => "WorkspaceOneUser",
        urn::WS1B_GROUP => "WorkspaceOneGroup",
        own => {
            let mut parts = own.rsplit(':');
            let last = parts.next().unwrap_or(own);
            let before = parts.find(|part| !part.starts_with(|c: char| c.is_ascii_digit()));
            if last == "User" { before.unwrap_or(last) } else { last }
        }
    }
}

fn extensions(schema: &Schema) -> Vec<&str> {
    let mut urns: Vec<&str> = Vec::new();
    for attribute in &schema.attributes {
        if attribute.schema != schema.urn() && !urns.contains(&&*attribute.schema) {
            urns.push(&attribute.schema);
        }
    }
    urns
}

/// Those of one schema. `externalId` is not among them: every resource has it (RFC 7643 §3.1).
fn attributes(schema: &Schema, urn: &str) -> Vec<Value> {
    let own = || schema.attributes.iter().filter(|attribute| attribute.schema == urn && attribute.key != "externalId");
    let mut all = Vec::new();
    let mut parents: Vec<&str> = Vec::new();
    for attribute in own() {
        let Some(parent) = attribute.parent else {
            all.push(shown(attribute));
            continue;
        };
        if parents.contains(&parent) {
            continue;
        }
        parents.push(parent);
        let parts: Vec<Value> = own().filter(|part| part.parent == Some(parent)).map(shown).collect();
        let mut fields = base_fields((parent, Kind::Complex), Plurality::Single, "The parts of the name.");
        fields.insert("mutability".to_owned(), "readWrite".into());
        fields.insert("returned".to_owned(), "default".into());
        fields.insert("subAttributes".to_owned(), parts.into());
        all.push(fields.into());
    }
    all
}

fn shown(attribute: &Attribute) -> Value {
    let mut fields = base_fields((&attribute.name, attribute.kind), attribute.plurality, attribute.description);
    fields.insert("required".to_owned(), attribute.required().into());
    fields.insert("mutability".to_owned(), mutability(attribute.mutability).into());
    let returned = match attribute.returned {
        Returned::Always => "always",
        Returned::Default => "default",
        Returned::Request => "request",
    };
    fields.insert("returned".to_owned(), returned.into());
    if !matches!(attribute.kind, Kind::Complex | Kind::Boolean) {
        fields.insert("caseExact".to_owned(), (attribute.case == Case::Exact).into());
        let uniqueness = if attribute.uniqueness == Uniqueness::Server { "server" } else { "none" };
        fields.insert("uniqueness".to_owned(), uniqueness.into());
    }
    if attribute.kind == Kind::Reference {
        fields.insert("referenceTypes".to_owned(), json!(["external"]));
    }
    // What is never stored nor returned is not advertised.
    let subs: Vec<Value> = attribute
        .subs
        .iter()
        .filter(|sub| sub.mutability != Mutability::ReadOnly)
        .map(|sub| shown_sub(sub, &["external"]))
        .collect();
    if !subs.is_empty() {
        fields.insert("subAttributes".to_owned(), subs.into());
    }
    fields.into()
}

fn shown_sub(sub: &Sub, references: &[&str]) -> Value {
    let mut fields = base_fields((sub.name, sub.kind), Plurality::Single, sub.description);
    fields.insert("mutability".to_owned(), mutability(sub.mutability).into());
    fields.insert("returned".to_owned(), "default".into());
    if sub.kind != Kind::Boolean {
        fields.insert("caseExact".to_owned(), (sub.case == Case::Exact).into());
        fields.insert("uniqueness".to_owned(), "none".into());
    }
    if sub.kind == Kind::Reference {
        fields.insert("referenceTypes".to_owned(), json!(references));
    }
    fields.into()
}

fn base_fields((name, kind): (&str, Kind), plurality: Plurality, description: &str) -> Map<String, Value> {
    let kind = match kind {
        Kind::String => "string",
        Kind::Boolean => "boolean",
        Kind::Integer => "integer",
        Kind::Decimal => "decimal",
        Kind::DateTime => "dateTime",
        Kind::Reference => "reference",
        Kind::Binary => "binary",
        Kind::Complex => "complex",
    };
    let mut fields = Map::new();
    fields.insert("name".to_owned(), name.into());
    fields.insert("type".to_owned(), kind.into());
    fields.insert("multiValued".to_owned(), (plurality == Plurality::Multi).into());
    fields.insert("description".to_owned(), description.into());
    fields.insert("required".to_owned(), false.into());
    fields
}

const fn mutability(mutability: Mutability) -> &'static str {
    match mutability {
        Mutability::ReadWrite => "readWrite",
        Mutability::ReadOnly => "readOnly",
        Mutability::Immutable => "immutable",
    }
}

/// The groups of a user: given only to those who ask, so that lists need not look for them.
fn groups() -> Value {
    let mut fields = base_fields(("groups", Kind::Complex), Plurality::Multi, "The groups that the user belongs to.");
    fields.insert("mutability".to_owned(), "readOnly".into());
    fields.insert("returned".to_owned(), "request".into());
    let subs: Vec<Value> = group::GROUP_OF.iter().map(|sub| shown_sub(sub, &["Group"])).collect();
    fields.insert("subAttributes".to_owned(), subs.into());
    fields.into()
}

fn members() -> Value {
    let mut fields = base_fields(("members", Kind::Complex), Plurality::Multi, "The members of the group.");
    fields.insert("mutability".to_owned(), "readWrite".into());
    fields.insert("returned".to_owned(), "default".into());
    let subs: Vec<Value> = group::MEMBER
        .iter()
        .map(|sub| {
            let mut shown = shown_sub(sub, &["User", "Group"]);
            if let (Some(fields), "type") = (shown.as_object_mut(), sub.name) {
                fields.insert("canonicalValues".to_owned(), json!(["User", "Group"]));
            }
            shown
        })
        .collect();
    fields.insert("subAttributes".to_owned(), subs.into());
    fields.into()
}

#[cfg(test)]
mod tests;
