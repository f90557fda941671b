use super::*;

fn ada() -> Attributes {
    let Value::Object(fields) = json!({
        "userName": "Ada@Example.com",
        "externalId": "Ext-1",
        "displayName": "A \"quoted\" \\ name",
        "title": "Größe",
        "profileUrl": "https://example.com/Ada",
        "name.givenName": "Ada",
        "emails": [
            { "value": "ada@work.example", "type": "work", "primary": true },
            { "value": "ada@home.example", "type": "home" }
        ],
        "addresses": [{ "country": "Belize", "type": "work" }],
        "roles": [{ "value": "25", "primary": true }],
        "department": "701984",
        "manager": { "value": "m1" },
        "urn:example:ours:2.0:User:shoeSize": "42",
    }) else {
        unreachable!()
    };
    fields.into_iter().collect()
}

const FACTS: Facts<'static> =
    Facts { id: "ab12", active: true, created_ms: 1_000, updated_ms: 1_305_261_754_000, version: 7 };

#[track_caller]
fn user(text: &str) -> Result<Filter, ScimError> {
    Filter::parse(text, &Schemas::of(&directory()).user)
}

#[track_caller]
fn holds(text: &str) -> bool {
    user(text).unwrap_or_else(|fault| panic!("{text}: {fault}")).matches(&ada(), &FACTS)
}

#[track_caller]
fn refused(text: &str) -> ScimError {
    let fault = user(text).expect_err(text);
    assert_eq!((fault.status, fault.scim_type), (400, Some(ScimType::InvalidFilter)), "{text}");
    assert!(fault.detail.contains("column "), "{text}: {fault}");
    fault
}

#[test]
fn what_matches_matches_and_what_does_not_does_not() {
    for (text, expected) in [
        // E02, E05, E06: names and values without case, externalId and id with it
        (r#"userName eq "ADA@EXAMPLE.COM""#, true),
        (r#"USERNAME Eq "ada@example.com""#, true),
        (r#"externalId eq "Ext-1""#, true),
        (r#"externalId eq "EXT-1""#, false),
        (r#"id eq "ab12" and manager eq "m1""#, true),
        (r#"manager eq "m1" and id eq "ab12""#, true),
        (r#"id eq "AB12""#, false),
        // E03, O18
        ("externalId eq Ext-1", true),
        ("externalId eq 'Ext-1'", true),
        ("(externalId eq Ext-1)", true),
        (r#"displayName eq "A \"quoted\" \\ name""#, true),
        (r#"title eq "Gr\u00f6\u00dfe""#, true),
        (r#"title eq "GRÖßE""#, true),
        (r#"title eq "GRÖSSE""#, false),
        ("department eq 701984", true),
        // E07
        (r#"emails[type eq "work"].value eq "ADA@work.example""#, true),
        (r#"emails[type eq "home"].value eq "ada@work.example""#, false),
        (r#"emails[type eq work and value co "@work"]"#, true),
        (r#"emails[type eq "work" and value co "@home"]"#, false),
        (r#"emails.type eq "work" and emails.value co "@home""#, true),
        (r#"emails co "@home.""#, true),
        (r#"emails[not (type eq "work") and primary pr]"#, false),
        (r#"emails[type eq "home"].primary pr"#, false),
        (r#"emails.value ne "ada@work.example""#, true),
        (r#"not (emails.value eq "ada@work.example")"#, false),
        (r#"roles[primary eq "True"].value eq "25""#, true),
        (r#"addresses[country eq belize]"#, true),
        ("addresses pr", true),
        // parents, extensions, URNs
        (r#"name.givenName sw "a""#, true),
        ("name pr", true),
        (r#"name[givenName eq "Ada"]"#, true),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ada""#, true),
        (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr"#, true),
        (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "m1""#, true),
        (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr"#, true),
        (r#"urn:example:ours:2.0:User:shoeSize eq 42"#, true),
        // absence, null, ""
        ("employeeNumber pr", false),
        (r#"employeeNumber eq "7""#, false),
        (r#"employeeNumber ne "7""#, true),
        ("employeeNumber eq null", true),
        ("userName eq null", false),
        ("userName ne null", true),
        ("employeeNumber eq \"\"", false),
        ("userName sw \"\"", false),
        ("userName ne \"\"", false),
        (r#"userName eq "null""#, false),
        // booleans
        ("active eq true", true),
        (r#"active eq "True""#, true),
        ("active eq False", false),
        ("active ne false", true),
        ("active pr", true),
        ("active eq \"\"", false),
        // operators on texts
        (r#"userName ew ".COM""#, true),
        (r#"userName gt "ada@a" and userName lt "ADB""#, true),
        (r#"userName ge "ADA@EXAMPLE.COM" and userName le "ada@example.com""#, true),
        (r#"profileUrl eq "https://example.com/ada""#, false),
        // meta
        (r#"meta.lastModified eq "2011-05-13T04:42:34Z""#, true),
        (r#"meta.lastModified eq "2011-05-13T04:42:34.000""#, true),
        (r#"meta.lastModified eq "2011-05-13T06:42:34.000+02:00""#, true),
        (r#"meta.lastModified gt "2011-05-13T04:42:33.9999999Z" and meta.created lt 1971-01-01"#, true),
        (r#"meta.resourceType eq "User""#, true),
        (r#"meta.resourceType eq "user""#, false),
        (r#"meta.resourceType ne "Group" and meta pr"#, true),
        (r#"meta.version eq "W/\"7\"""#, true),
        // precedence
        (r#"userName pr or userName pr and employeeNumber pr"#, true),
        (r#"(userName pr or userName pr) and employeeNumber pr"#, false),
        (r#"not (employeeNumber pr) and userName pr"#, true),
        (r#"NOT(employeeNumber pr)AND(userName pr)"#, true),
        ("  userName\tpr  ", true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn o19_what_is_no_filter_is_refused_with_its_column() {
    for (text, column) in [
        ("", 1),
        ("userName eq", 12),
        ("userName eq ", 13),
        ("userName", 9),
        (r#"userName is "x""#, 10),
        (r#"userName eq"x""#, 12),
        (r#"userName=="x""#, 9),
        (r#"userName eq "x"#, 13),
        (r#"userName eq "\q""#, 14),
        (r#"userName eq "\ud800""#, 14),
        (r#"userName eq "a" title pr"#, 17),
        (r#"userName eq "a"and title pr"#, 16),
        ("(userName pr", 13),
        ("userName pr)", 12),
        ("not userName pr", 5),
        ("userName pr and", 16),
        ("emails[type pr", 15),
        ("emails[type pr] pr", 17),
        ("emails[manager[value pr]]", 15),
        ("emails[type pr]..value pr", 17),
        ("userName eq {}", 13),
        ("1 eq 1", 1),
        ("user\0Name pr", 5),
        ("Ädä eq 1", 1),
    ] {
        let fault = refused(text);
        assert!(fault.detail.contains(&format!("column {column}:")), "{text:?}: {fault}");
    }
}

#[test]
fn a215_text_meant_for_a_database_is_a_value_or_no_filter() {
    refused(r#"userName eq "a" or 1 eq 1"#);
    refused("'; --");
    refused("userName eq ''; --");
    for value in ["%", "_", "\\\\", "'; --", "a\0b", "\u{7}", "x\" or"] {
        let value = if value.contains("\" or") { value.replace('"', "\\\"") } else { value.to_owned() };
        assert!(!holds(&format!("userName co \"{value}\"")), "{value:?}");
    }
    let Ok(Filter::Compare { value: Literal::Text { text, .. }, .. }) = user("userName eq \"a\0\u{1}b\"") else {
        panic!("it is read")
    };
    assert_eq!(text, "a\0\u{1}b");
}

#[test]
fn a217_filters_by_what_is_hidden_unconfirmed_or_unknown_are_refused() {
    for name in [
        "password",
        "schemas",
        "nickName",
        "costCenter",
        "nonsense",
        "meta.location",
        "emails.nonsense",
        "groups.display",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division",
        "urn:example:ours:2.0:User:other",
        "members",
    ] {
        let fault = refused(&format!("{name} eq \"secret\""));
        assert!(!fault.detail.contains("secret"), "{fault}");
        if name != "schemas" {
            refused(&format!("{name} pr"));
        }
    }
    refused("emails[nonsense eq 1]");
    refused("nickName[type pr]");
    refused("emails.value[type pr]");
}

#[test]
fn operators_that_an_attribute_does_not_have_are_refused() {
    for text in [
        "active gt true",
        "active co tr",
        "active eq yes",
        "x509Certificates.value lt MII",
        "addresses eq work",
        "name eq Ada",
        "meta.created co 2011",
        "meta.created gt yesterday",
        "userName gt null",
        "groups co a",
        "groups ne a",
        "emails.primary ge true",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User eq x",
    ] {
        refused(text);
    }
}

#[test]
fn g23_members_and_groups_are_asked_by_id() {
    let groups = Schemas::of(&directory()).group;
    let by = |id: &str, common| Filter::Compare {
        operand: Operand::Common(common),
        operator: Operator::Eq,
        value: Literal::Text { text: id.to_owned(), exact: true },
    };
    let members = CommonOperand::Members;
    for text in [r#"members eq "a""#, r#"members.value eq "a""#, r#"members[value eq "a"]"#] {
        assert_eq!(Filter::parse(text, &groups), Ok(by("a", members)), "{text}");
    }
    let parsed = Filter::parse(r#"id eq "g" and members eq "a""#, &groups);
    assert_eq!(parsed, Ok(Filter::And(vec![by("g", CommonOperand::Id), by("a", members)])));
    let parsed = Filter::parse(r#"members[value eq "a" or value eq "b"]"#, &groups);
    assert_eq!(parsed, Ok(Filter::Or(vec![by("a", members), by("b", members)])));
    assert_eq!(user("groups eq g"), Ok(by("g", CommonOperand::Groups)));
    assert!(Filter::parse(r#"members[not (value eq "a")]"#, &groups).is_err());
    assert!(Filter::parse(r#"members[type eq "User"]"#, &groups).is_err());
}

#[test]
fn limits_hold_at_n_and_not_at_n_plus_1() {
    let terms = |count: usize| vec!["title pr"; count].join(" or ");
    assert!(user(&terms(64)).is_ok());
    assert!(refused(&terms(65)).detail.contains("64"));
    let deep = |depth: usize| format!("{}title pr{}", "(".repeat(depth), ")".repeat(depth));
    assert!(user(&deep(16)).is_ok());
    assert!(refused(&deep(17)).detail.contains("16"));
    assert!(user(&format!("{}emails[type pr]{}", "not (".repeat(15), ")".repeat(15))).is_ok());
    refused(&format!("{}emails[type pr]{}", "not (".repeat(16), ")".repeat(16)));
    let long = |length: usize| format!("title eq \"{}\"", "ä".repeat(length - 11));
    assert!(user(&long(2_000)).is_ok());
    assert!(refused(&long(2_001)).detail.contains("2,000"));
    refused(&"(".repeat(2_000));
}

#[test]
fn times_are_instants() {
    let second = 1_000_000_000_i128;
    for (text, expected) in [
        ("1970-01-01T00:00:01Z", Some(second)),
        ("1970-01-01T00:00:01.5", Some(second + second / 2)),
        ("1970-01-01T01:00:01+01:00", Some(second)),
        ("1970-01-02", Some(86_400 * second)),
        ("yesterday", None),
        ("", None),
    ] {
        assert_eq!(nanoseconds(text), expected, "{text}");
    }
}
