use std::collections::BTreeSet;

use super::*;
use crate::identity::Source;
use crate::scim::samples::{BASE, CUSTOM, directory, generous};

fn few() -> Schemas {
    let badge = format!("{CUSTOM}:badge");
    Schemas::of(&directory(
        Source::Azure,
        &["userName", "externalId", "emails", "name.givenName", "photos", "manager", "customAttribute1", &badge],
    ))
}

#[test]
fn the_provider_says_what_is_true_of_it() {
    insta::assert_json_snapshot!("provider", service_provider_config(BASE));
}

#[test]
fn the_resource_types_name_the_extensions_that_are_confirmed() {
    insta::assert_json_snapshot!("types", resource_types(BASE, &few()));
}

#[test]
fn the_schemas_show_the_confirmed_attributes_and_nothing_else() {
    insta::assert_json_snapshot!("schemas", schemas(BASE, &few()));
}

#[test]
fn every_attribute_that_is_shown_is_one_that_can_be_named() {
    let all = Schemas::of(&generous(Source::Okta));
    let documents = schemas(BASE, &all);
    let mut shown = BTreeSet::new();
    for (urn, document) in &documents {
        assert_eq!(document["id"], **urn);
        for attribute in document["attributes"].as_array().expect("attributes") {
            let name = attribute["name"].as_str().expect("a name");
            for part in attribute["subAttributes"].as_array().into_iter().flatten() {
                shown.insert(format!("{urn}:{name}.{}", part["name"].as_str().expect("a name")));
            }
            shown.insert(format!("{urn}:{name}"));
        }
    }
    use crate::scim::schema::Named;
    for full in &shown {
        let schema = if full.contains(":2.0:Group") { &all.group } else { &all.user };
        assert!(!matches!(schema.named(full), Named::Unknown | Named::Unconfirmed), "{full}");
    }
    for attribute in all.user.attributes.iter().filter(|attribute| attribute.key != "externalId") {
        assert!(shown.contains(&attribute.full_name()), "{}", attribute.key);
    }
    assert!(!shown.iter().any(|name| name.contains("password") || name.contains("externalId")));
}

#[test]
fn each_schema_has_a_name_of_its_own_that_a_program_can_use() {
    let names: Vec<Value> =
        schemas(BASE, &Schemas::of(&generous(Source::Okta))).into_iter().map(|(_, d)| d["name"].clone()).collect();
    assert_eq!(names, ["User", "EnterpriseUser", "WorkspaceOneUser", "Contoso", "Group", "WorkspaceOneGroup"]);
}
