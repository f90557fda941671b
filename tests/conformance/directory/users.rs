//! Finding users, switching them off and on.

use serde_json::json;
use vestibule::base::text::fold;
use vestibule::directory::{Activity, Provisioned};
use vestibule::identity::UserId;

use super::home::{DIRECTORY, Home, at, create, family, find, login, person, update};

pub async fn a_user_is_found_by_any_single_valued_attribute(home: &Home) {
    let ada = login(
        "id-ada",
        "x-ada",
        json!({
            "userName": "ada@contoso.com", "employeeNumber": "0042", "name.familyName": "Lovelace",
            "emails": [{ "value": "other@contoso.com" }, { "value": "Ada@Contoso.com", "primary": true }],
        }),
    );
    let created = create(&home.db, ada).await;
    for (attribute, value) in [
        ("externalId", "x-ada"),
        ("userName", "ada@contoso.com"),
        ("employeeNumber", "0042"),
        ("name.familyName", "Lovelace"),
        ("emails", "ada@contoso.com"),
    ] {
        assert_eq!(
            home.db.users.find(DIRECTORY, attribute, value).await.unwrap(),
            std::slice::from_ref(&created),
            "{attribute}"
        );
    }
    assert_eq!(home.db.users.user(&created.id).await.unwrap(), Some(created));
    assert_eq!(home.db.users.user(&UserId("id-nobody".to_owned())).await.unwrap(), None);
    assert!(find(&home.db, "emails", "other@contoso.com").await.is_empty(), "only the primary email counts");
    assert!(find(&home.db, "employeeNumber", "42").await.is_empty());
    assert!(find(&home.db, "employeeNumber", "004").await.is_empty());
}

pub async fn a165_a_user_is_found_in_its_own_directory_only(home: &Home) {
    create(&home.db, person("ada")).await;
    assert!(home.db.users.find("fabrikam", "userName", "ada@contoso.com").await.unwrap().is_empty());
    let mut namesake = person("ada");
    namesake.directory = "fabrikam".to_owned();
    namesake.fresh_id = UserId("id-other".to_owned());
    create(&home.db, namesake).await;
    assert_eq!(find(&home.db, "externalId", "x-ada").await, ["id-ada"]);
    let theirs = home.db.users.find("fabrikam", "externalId", "x-ada").await.unwrap();
    assert_eq!(theirs.len(), 1);
    assert_eq!(theirs[0].id.0, "id-other");
}

pub async fn a167_an_external_id_never_meets_an_internal_one(home: &Home) {
    create(&home.db, login("1", "x-1", json!({ "userName": "one" }))).await;
    create(&home.db, login("2", "1", json!({ "userName": "two" }))).await;
    assert_eq!(find(&home.db, "externalId", "1").await, ["2"]);
    assert_eq!(find(&home.db, "id", "1").await, Vec::<String>::new());
}

pub async fn a168_an_empty_value_finds_nobody(home: &Home) {
    create(&home.db, login("id-a", "x-a", json!({ "userName": "a", "nickName": "", "emails": [] }))).await;
    create(&home.db, login("id-b", "x-b", json!({ "userName": "b", "emails": [{ "value": "" }] }))).await;
    for attribute in ["nickName", "emails", "userName", "externalId", "absent"] {
        assert!(find(&home.db, attribute, "").await.is_empty(), "{attribute}");
    }
    assert_eq!(find(&home.db, "userName", "b").await, ["id-b"]);
}

pub async fn a168_values_that_are_no_text_find_nobody(home: &Home) {
    create(
        &home.db,
        login(
            "id-a",
            "x-a",
            json!({ "userName": "a", "level": 7, "vip": true, "tags": ["red"], "o": { "value": "p" } }),
        ),
    )
    .await;
    for (attribute, value) in [("level", "7"), ("vip", "true"), ("tags", "red"), ("o", "p"), ("o", "{\"value\":\"p\"}")]
    {
        assert!(find(&home.db, attribute, value).await.is_empty(), "{attribute}");
    }
}

pub async fn a170_user_name_and_email_compare_folded_and_all_else_exactly(home: &Home) {
    let mut ada = login("id-ada", "X-Ada", json!({ "userName": "ÄDA@Contoso.com", "nickName": "Ada" }));
    ada.attributes.insert("emails".to_owned(), json!([{ "value": "Ada@Contoso.com", "primary": true }]));
    create(&home.db, ada).await;
    assert_eq!(find(&home.db, "userName", "äda@CONTOSO.com").await, ["id-ada"]);
    assert_eq!(find(&home.db, "emails", "ADA@contoso.com").await, ["id-ada"]);
    assert!(find(&home.db, "externalId", "x-ada").await.is_empty());
    assert!(find(&home.db, "nickName", "ada").await.is_empty());
    assert!(find(&home.db, "userName", "äda@contoso.com ").await.is_empty(), "a trailing space counts");
    assert_eq!(find(&home.db, "userName", "a\u{308}da@contoso.com").await, ["id-ada"], "composed or not");
    assert_eq!(find(&home.db, "userName", "Ä\u{ff44}a@contoso.com").await, ["id-ada"], "full width or not");
}

pub async fn a170_search_and_uniqueness_fold_alike(home: &Home) {
    // Kelvin sign, dotless i, dotted capital I, sharp s, final sigma
    let names =
        ["\u{212a}arl", "karl", "adm\u{131}n", "ADMIN", "\u{130}da", "stra\u{df}e", "STRASSE", "\u{3a3}\u{3a3}"];
    let mut taken: Vec<(String, String)> = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let id = format!("id-{number}");
        let answer = home.db.users.provision(login(&id, &id, json!({ "userName": name })), at(1)).await.unwrap();
        let equal = taken.iter().find(|(_, other)| fold(other) == fold(name)).map(|(id, _)| id.clone());
        match (&equal, answer) {
            (Some(_), Provisioned::Conflict("userName")) => {}
            (None, Provisioned::Created(_)) => taken.push((id.clone(), (*name).to_owned())),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(find(&home.db, "userName", name).await, [equal.unwrap_or(id)], "{name}");
    }
    assert!(taken.len() < names.len());
}

pub async fn two_of_many_matches_are_enough(home: &Home) {
    for name in ["ada", "bea", "cleo"] {
        let mut user = person(name);
        user.attributes.insert("department".to_owned(), json!("R&D"));
        create(&home.db, user).await;
    }
    let found = find(&home.db, "department", "R&D").await;
    assert_eq!(found.len(), 2);
    assert_ne!(found[0], found[1]);
}

pub async fn long_values_are_found_and_told_apart(home: &Home) {
    let long = format!("{}ä", "a".repeat(255));
    let longer = "ü".repeat(5_000);
    let longest = format!("{longer}!");
    let values = [long.as_str(), &longer, &longest];
    for (number, value) in values.iter().enumerate() {
        create(&home.db, login(&format!("id-{number}"), value, json!({ "userName": value }))).await;
    }
    for (number, value) in values.iter().enumerate() {
        assert_eq!(find(&home.db, "externalId", value).await, [format!("id-{number}")]);
        assert_eq!(find(&home.db, "userName", &value.to_uppercase()).await, [format!("id-{number}")]);
    }
    let again = home.db.users.provision(login("id-9", "x-9", json!({ "userName": longer })), at(1)).await.unwrap();
    assert_eq!(again, Provisioned::Conflict("userName"));
}

pub async fn quotes_and_odd_characters_are_text_like_any_other(home: &Home) {
    for (number, value) in
        ["'; DROP TABLE users; --", "a\"b", "%", "_", "\u{1F600}", "a\0b", "$1", "?1"].iter().enumerate()
    {
        create(&home.db, login(&format!("id-{number}"), value, json!({ "userName": value }))).await;
        assert_eq!(find(&home.db, "externalId", value).await, [format!("id-{number}")], "{value}");
        assert_eq!(find(&home.db, "userName", value).await, [format!("id-{number}")], "{value}");
    }
}

pub async fn a_user_switched_off_keeps_its_attributes_and_loses_what_was_issued(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    home.db.families.begin(family("offline", "s1")).await.unwrap();
    assert!(home.db.users.set_active(&ada.id, Activity::Inactive, at(5_000)).await.unwrap());

    let off = home.db.users.user(&ada.id).await.unwrap().unwrap();
    assert!(!off.active);
    assert_eq!(off.sessions_valid_from, at(5_000));
    assert_eq!((&off.attributes, off.updated_at), (&ada.attributes, at(5_000)));
    let revoked = home.db.families.family(&family("offline", "s1").id).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(at(5_000)));

    assert!(home.db.users.set_active(&ada.id, Activity::Active, at(6_000)).await.unwrap());
    let on = home.db.users.user(&ada.id).await.unwrap().unwrap();
    assert!(on.active);
    // A login that was under way when the switch fell may have written a session after it.
    assert_eq!(on.sessions_valid_from, at(6_000), "nothing from before comes back");
    let revoked = home.db.families.family(&family("offline", "s1").id).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(at(5_000)));
}

pub async fn switching_off_leaves_other_people_alone(home: &Home) {
    create(&home.db, person("ada")).await;
    let bea = create(&home.db, person("bea")).await;
    home.db.families.begin(family("of ada", "s1")).await.unwrap();
    home.db.users.set_active(&bea.id, Activity::Inactive, at(5_000)).await.unwrap();
    assert_eq!(home.db.families.family(&family("of ada", "s1").id).await.unwrap().unwrap().revoked_at, None);
    assert!(home.db.users.find(DIRECTORY, "externalId", "x-ada").await.unwrap()[0].active);
}

pub async fn f20_a_clock_set_back_revives_nothing(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    home.db.users.set_active(&ada.id, Activity::Inactive, at(5_000)).await.unwrap();
    home.db.users.set_active(&ada.id, Activity::Active, at(5_001)).await.unwrap();
    home.db.users.set_active(&ada.id, Activity::Inactive, at(2_000)).await.unwrap();
    let off = home.db.users.user(&ada.id).await.unwrap().unwrap();
    assert!(!off.active);
    assert_eq!(off.sessions_valid_from, at(5_001));
}

pub async fn switching_on_who_is_on_changes_nothing(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    assert!(home.db.users.set_active(&ada.id, Activity::Active, at(9_000)).await.unwrap());
    assert_eq!(home.db.users.user(&ada.id).await.unwrap(), Some(ada));
}

pub async fn nobody_can_be_switched(home: &Home) {
    let nobody = UserId("id-nobody".to_owned());
    for activity in [Activity::Active, Activity::Inactive] {
        assert!(!home.db.users.set_active(&nobody, activity, at(1)).await.unwrap());
    }
}

pub async fn a_change_is_in_force_for_another_process_at_once(home: &Home) {
    let other = (home.reopen)();
    let ada = create(&home.db, person("ada")).await;
    assert_eq!(other.users.user(&ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(find(&other, "userName", "ada@contoso.com").await, ["id-ada"]);
    other.users.set_active(&ada.id, Activity::Inactive, at(5_000)).await.unwrap();
    assert!(!home.db.users.standing(&ada.id, None, &[]).await.unwrap().unwrap().user.active);
    other.users.set_active(&ada.id, Activity::Active, at(5_001)).await.unwrap();
    let mut renamed = person("ada");
    renamed.attributes.insert("userName".to_owned(), json!("ada.king@contoso.com"));
    update(&other, renamed).await;
    assert!(find(&home.db, "userName", "ada@contoso.com").await.is_empty());
    assert_eq!(find(&home.db, "userName", "ada.king@contoso.com").await, ["id-ada"]);
}
