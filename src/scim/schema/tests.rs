use super::*;
use crate::identity::Source;
use crate::scim::samples::{CUSTOM, directory};

/// `key`, `key/sub`, or the kind of what else it is.
fn shown(schema: &Schema, name: &str) -> String {
    match schema.named(name) {
        Named::Attribute(attribute, None) => attribute.key.to_string(),
        Named::Attribute(attribute, Some(sub)) => format!("{}/{}", attribute.key, sub.name),
        Named::Parent(parent) => format!("parent {parent}"),
        Named::Extension(urn) => format!("extension {urn}"),
        Named::Common(common) => format!("{common:?}"),
        Named::Unconfirmed => "unconfirmed".to_owned(),
        Named::Unknown => "unknown".to_owned(),
    }
}

fn schemas() -> Schemas {
    let badge = format!("{CUSTOM}:badge");
    let title = format!("{CUSTOM}:title");
    Schemas::of(&directory(
        Source::Azure,
        &[
            "userName",
            "externalId",
            "emails",
            "name.givenName",
            "department",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
            "customAttribute1",
            "urn:ietf:params:scim:schemas:extension:ws1b:2.0:User:cubicle",
            &badge,
            &title,
        ],
    ))
}

#[test]
fn a_name_is_found_bare_dotted_with_its_urn_with_the_old_dot_and_in_any_case() {
    let schemas = schemas();
    for (name, expected) in [
        ("userName", "userName"),
        ("USERNAME", "userName"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", "userName"),
        ("emails", "emails"),
        ("Emails.Value", "emails/value"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:emails.primary", "emails/primary"),
        ("name", "parent name"),
        ("name.givenName", "name.givenName"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:Name.GivenName", "name.givenName"),
        ("department", "department"),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "department"),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department", "department"),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department", "department"),
        ("URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER:Manager.Value", "manager/value"),
        ("manager.$ref", "manager/$ref"),
        ("customattribute1", "customAttribute1"),
        ("cubicle", "urn:ietf:params:scim:schemas:extension:ws1b:2.0:User:cubicle"),
        ("badge", "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge"),
        (
            "urn:ietf:params:scim:schemas:extension:contoso:2.0:user.BADGE",
            "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge",
        ),
        (
            "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:title",
            "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:title",
        ),
        (CUSTOM, "extension urn:ietf:params:scim:schemas:extension:Contoso:2.0:User"),
        (urn::ENTERPRISE, "extension urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"),
        ("ID", "Id"),
        ("meta.lastModified", "LastModified"),
        ("groups.value", "Groups(Some(\"value\"))"),
        ("password", "Password"),
        ("members", "unknown"),
    ] {
        assert_eq!(shown(&schemas.user, name), expected, "{name}");
    }
    for (name, expected) in [
        ("members.$ref", "Members(Some(\"$ref\"))"),
        ("displayName", "displayName"),
        ("description", "description"),
        ("urn:ietf:params:scim:schemas:extension:ws1b:2.0:Group:domain", "domain"),
        (urn::WS1B_GROUP, "extension urn:ietf:params:scim:schemas:extension:ws1b:2.0:Group"),
        ("userName", "unknown"),
    ] {
        assert_eq!(shown(&schemas.group, name), expected, "{name}");
    }
}

#[test]
fn a_name_that_is_not_confirmed_is_told_from_one_that_nobody_knows() {
    let schemas = schemas();
    for (name, expected) in [
        ("nickName", "unconfirmed"),
        ("phoneNumbers.value", "unconfirmed"),
        ("costCenter", "unconfirmed"),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter", "unconfirmed"),
        ("urn:ietf:params:scim:schemas:extension:Other:2.0:User:badge", "unconfirmed"),
        // A custom attribute doesn't take the bare name of a core one.
        ("title", "unconfirmed"),
        ("titel", "unknown"),
        ("emails.adress", "unknown"),
        ("name.nick", "unknown"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:titel", "unknown"),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:titel", "unknown"),
        ("", "unknown"),
    ] {
        assert_eq!(shown(&schemas.user, name), expected, "{name}");
    }
    let bare = Schemas::of(&directory(Source::Azure, &["userName"]));
    assert_eq!(shown(&bare.user, "name"), "unconfirmed");
    assert_eq!(shown(&bare.user, urn::ENTERPRISE), "unconfirmed");
    assert_eq!(shown(&bare.user, "active"), "active");
}

#[test]
fn a_schema_has_what_is_confirmed_and_nothing_else_in_the_order_of_the_rfc() {
    let schemas = schemas();
    let keys: Vec<&str> = schemas.user.attributes.iter().map(|attribute| &*attribute.key).collect();
    assert_eq!(
        keys,
        [
            "externalId",
            "userName",
            "name.givenName",
            "active",
            "emails",
            "department",
            "manager",
            "customAttribute1",
            "urn:ietf:params:scim:schemas:extension:ws1b:2.0:User:cubicle",
            "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge",
            "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:title",
        ]
    );
    for key in keys {
        assert_eq!(schemas.user.attribute(key).map(|found| &*found.key), Some(key));
        let full = schemas.user.attribute(key).map(Attribute::full_name).unwrap_or_default();
        assert_eq!(shown(&schemas.user, &full), key, "{full}");
    }
    assert_eq!(schemas.user.attribute("USERNAME"), None, "keys are exact");
    assert_eq!(schemas.group.attributes.len(), 5);
}
