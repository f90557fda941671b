//! Directories and users for the tests here.

use proptest::prelude::*;
use serde_json::Value;

use super::urn;
use crate::base::{Moment, Span};
use crate::identity::directory::{DirectoryKind, OnDeactivate};
use crate::identity::user::User;
use crate::identity::{Dialect, Directory, Source, StoredUser, UserId};

/// A custom extension.
pub const CUSTOM: &str = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User";
pub const BASE: &str = "https://login.contoso.com/usergroup/scim/v2";

pub fn directory(source: Source, attributes: &[&str]) -> Directory {
    Directory {
        id: "contoso".to_owned(),
        name: "Contoso".to_owned(),
        domains: vec!["contoso.com".to_owned()],
        default_domain: None,
        source,
        kind: DirectoryKind::Provisioned,
        attributes: attributes.iter().map(|&name| name.to_owned()).collect(),
        decode_ms_guid: false,
        on_deactivate: OnDeactivate::Keep,
        purge_after: Span::days(7),
        clear_sentinel: "__CLEAR__".to_owned(),
        max_removals: "5%".to_owned(),
        dialect: Dialect::preset(source),
    }
}

/// One that confirms all that there is, and two attributes of its own.
pub fn generous(source: Source) -> Directory {
    let mut generous = directory(source, &KNOWN);
    generous.attributes.extend(["badge", "floor"].map(|name| format!("{CUSTOM}:{name}")));
    generous
}

/// Created and changed on 14 November 2023, version 3.
pub fn stored(attributes: &Value) -> StoredUser {
    let at = Moment::from_ms(1_700_000_000_123);
    StoredUser {
        user: User {
            id: UserId("0123456789abcdef0123456789abcdef".to_owned()),
            directory: "contoso".to_owned(),
            active: true,
            sessions_valid_from: at,
            attributes: serde_json::from_value(attributes.clone()).unwrap_or_default(),
            email_verified: true,
            former_names: Vec::new(),
            updated_at: at,
        },
        version: 3,
        seq: 1,
        created_at: Moment::from_ms(1_700_000_000_000),
        inactive_since: None,
        identity_name: None,
    }
}

const KNOWN: [&str; 40] = [
    "externalId",
    "userName",
    "name.formatted",
    "name.familyName",
    "name.givenName",
    "name.middleName",
    "name.honorificPrefix",
    "name.honorificSuffix",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "entitlements",
    "roles",
    "x509Certificates",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "manager",
    "adSourceAnchor",
    "customAttribute1",
    "customAttribute2",
    "customAttribute3",
    "customAttribute4",
    "customAttribute5",
    "distinguishedName",
    "domain",
    "userPrincipalName",
    "onPremisesUserPrincipalName",
];

/// JSON of any shape, with names and texts that mean something to us among the others.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop_oneof![Just(String::new()), Just("__CLEAR__".to_owned()), "\\PC{0,8}", Just("True".to_owned())]
            .prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "userName",
            "emails",
            "name",
            "givenName",
            "manager",
            "value",
            "primary",
            "type",
            "$ref",
            "active",
            "externalId",
            "roles",
            "members",
            "groups",
            "addresses",
            "department",
            urn::ENTERPRISE,
            CUSTOM,
            "NAME.givenname",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
