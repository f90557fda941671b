//! Logins that create and update users.

use serde_json::json;
use vestibule::directory::{Activity, JitUser, Provisioned};
use vestibule::identity::UserId;

use super::home::{DIRECTORY, Home, at, create, find, login, person, update};

pub async fn a_first_login_creates_the_user(home: &Home) {
    let mut ada = person("ada");
    ada.email_verified = true;
    let user = create(&home.db, ada.clone()).await;
    assert_eq!(user.id, ada.fresh_id);
    assert_eq!(user.directory, DIRECTORY);
    assert!(user.active && user.email_verified);
    assert_eq!((user.sessions_valid_from, user.updated_at), (at(0), at(1_000)));
    assert!(user.former_names.is_empty());
    assert_eq!(user.text("displayName"), Some("ada"));
    assert_eq!(user.text("externalId"), Some("x-ada"), "what it matches by is kept");
    assert_eq!(home.db.users.user(&user.id).await.unwrap(), Some(user));
}

pub async fn a_later_login_is_the_same_user_whatever_its_fresh_id(home: &Home) {
    let first = create(&home.db, person("ada")).await;
    let mut again = person("ada");
    again.fresh_id = UserId("id-drawn-anew".to_owned());
    again.attributes.insert("displayName".to_owned(), json!("Ada King"));
    let user = update(&home.db, again).await;
    assert_eq!(user.id, first.id);
    assert_eq!(user.text("displayName"), Some("Ada King"));
    assert_eq!((user.sessions_valid_from, user.updated_at), (at(0), at(2_000)));
    assert_eq!(home.db.users.user(&user.id).await.unwrap(), Some(user));
    assert_eq!(home.db.users.user(&UserId("id-drawn-anew".to_owned())).await.unwrap(), None);
}

pub async fn a_login_that_says_nothing_new_changes_nothing(home: &Home) {
    let created = create(&home.db, person("ada")).await;
    let mut again = person("ada");
    again.attributes.remove("displayName");
    let answer = home.db.users.provision(again, at(9_000)).await.unwrap();
    assert_eq!(answer, Provisioned::Unchanged(created.clone()));
    assert_eq!(home.db.users.user(&created.id).await.unwrap(), Some(created));
}

pub async fn attributes_without_a_value_stay_as_they_were(home: &Home) {
    create(&home.db, person("ada")).await;
    let thin =
        json!({ "displayName": "", "userName": null, "emails": [{ "value": " " }], "title": "Countess", "x": {} });
    let user = update(&home.db, login("id-2", "x-ada", thin)).await;
    assert_eq!(user.text("displayName"), Some("ada"));
    assert_eq!(user.user_name(), Some("ada@contoso.com"));
    assert_eq!(user.email(), Some("ada@contoso.com"));
    assert_eq!(user.text("title"), Some("Countess"));
    assert!(!user.attributes.contains_key("x"));
}

pub async fn a174_a_login_never_revives_an_inactive_user(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    home.db.users.set_active(&ada.id, Activity::Inactive, at(3_000)).await.unwrap();
    let off = home.db.users.user(&ada.id).await.unwrap().unwrap();
    let mut again = person("ada");
    again.attributes.insert("displayName".to_owned(), json!("Somebody Else"));
    again.attributes.insert("active".to_owned(), json!(true));
    assert_eq!(home.db.users.provision(again, at(4_000)).await.unwrap(), Provisioned::Unchanged(off.clone()));
    assert_eq!(home.db.users.user(&ada.id).await.unwrap(), Some(off));
}

pub async fn a174_a_login_sets_nothing_that_is_not_a_persons_own(home: &Home) {
    let mut ada = person("ada");
    for (name, value) in [
        ("id", json!("id-root")),
        ("active", json!(false)),
        ("groups", json!([{ "value": "admins" }])),
        ("meta", json!({ "version": "1" })),
        ("schemas", json!(["urn:x"])),
        ("password", json!("hunter2")),
    ] {
        ada.attributes.insert(name.to_owned(), value);
    }
    let user = create(&home.db, ada).await;
    assert!(user.active);
    assert_eq!(user.id.0, "id-ada");
    let names: Vec<&str> = user.attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["displayName", "emails", "externalId", "userName"]);
}

pub async fn a175_a_user_name_that_belongs_to_another_is_refused_and_nothing_is_written(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    let bea = create(&home.db, person("bea")).await;
    let thief = json!({ "userName": "ADA@contoso.com", "displayName": "thief" });
    let fresh = home.db.users.provision(login("id-eve", "x-eve", thief.clone()), at(2_000)).await.unwrap();
    assert_eq!(fresh, Provisioned::Conflict("userName"));
    let known = home.db.users.provision(login("id-9", "x-bea", thief), at(2_000)).await.unwrap();
    assert_eq!(known, Provisioned::Conflict("userName"));
    assert!(find(&home.db, "externalId", "x-eve").await.is_empty());
    assert!(find(&home.db, "displayName", "thief").await.is_empty());
    assert_eq!(home.db.users.user(&UserId("id-eve".to_owned())).await.unwrap(), None);
    assert_eq!(home.db.users.user(&ada.id).await.unwrap(), Some(ada), "the owner is as it was");
    assert_eq!(home.db.users.user(&bea.id).await.unwrap(), Some(bea));
    assert_eq!(find(&home.db, "userName", "bea@contoso.com").await, ["id-bea"], "and is still found");
}

pub async fn an_external_id_that_belongs_to_another_is_refused(home: &Home) {
    create(&home.db, person("ada")).await;
    let other = JitUser {
        match_attribute: "userName".to_owned(),
        match_value: "eve@contoso.com".to_owned(),
        ..login("id-eve", "", json!({ "userName": "eve@contoso.com", "externalId": "x-ada" }))
    };
    assert_eq!(home.db.users.provision(other, at(2_000)).await.unwrap(), Provisioned::Conflict("externalId"));
    assert!(find(&home.db, "userName", "eve@contoso.com").await.is_empty());
}

pub async fn a168_a_login_without_a_value_to_match_by_is_nobody(home: &Home) {
    create(&home.db, login("id-a", "x-a", json!({ "userName": "a" }))).await;
    let answer = home.db.users.provision(login("id-b", "", json!({ "userName": "b" })), at(2_000)).await.unwrap();
    assert_eq!(answer, Provisioned::Conflict("empty"));
    assert!(find(&home.db, "userName", "b").await.is_empty());
}

pub async fn a169_a_login_that_matches_two_users_is_refused(home: &Home) {
    for name in ["ada", "bea"] {
        let mut user = person(name);
        user.attributes.insert("employeeNumber".to_owned(), json!("7"));
        create(&home.db, user).await;
    }
    let doubtful = JitUser {
        match_attribute: "employeeNumber".to_owned(),
        match_value: "7".to_owned(),
        ..login("id-c", "", json!({ "displayName": "who" }))
    };
    assert_eq!(home.db.users.provision(doubtful, at(2_000)).await.unwrap(), Provisioned::Conflict("ambiguous"));
    assert!(find(&home.db, "displayName", "who").await.is_empty());
}

pub async fn the_next_login_finds_whom_the_first_made_whatever_it_matches_by(home: &Home) {
    let odd = [
        ("emails", "Cleo@contoso.com", json!({})),
        ("userName", "dora", json!({ "userName": "something else" })),
        ("employeeNumber", "77", json!({ "employeeNumber": ["77"] })),
        ("costCenter", "c1", json!({ "costCenter": 5 })),
    ];
    for (number, (attribute, value, attributes)) in odd.into_iter().enumerate() {
        let jit = JitUser {
            match_attribute: attribute.to_owned(),
            match_value: value.to_owned(),
            ..login(&format!("id-{number}"), "", attributes)
        };
        create(&home.db, jit.clone()).await;
        let second = JitUser { fresh_id: UserId("id-second".to_owned()), ..jit };
        let answer = home.db.users.provision(second, at(2_000)).await.unwrap();
        let Provisioned::Unchanged(user) = answer else { panic!("{attribute}: {answer:?}") };
        assert_eq!(user.id.0, format!("id-{number}"));
    }
}

pub async fn email_verified_speaks_of_the_email_that_is_named(home: &Home) {
    let mut ada = person("ada");
    ada.email_verified = true;
    assert!(create(&home.db, ada).await.email_verified);

    let silent = login("id", "x-ada", json!({ "title": "Countess" }));
    assert!(update(&home.db, silent).await.email_verified, "no email named, nothing said of it");

    let unproven = login("id", "x-ada", json!({ "emails": [{ "value": "new@contoso.com", "primary": true }] }));
    assert!(!update(&home.db, unproven).await.email_verified);

    let mut without = login("id-bea", "x-bea", json!({ "userName": "bea" }));
    without.email_verified = true;
    assert!(!create(&home.db, without).await.email_verified, "no email, nothing proven");
}

pub async fn names_given_up_become_former_names(home: &Home) {
    create(&home.db, person("Ada")).await;
    let married = json!({ "userName": "KING@contoso.com", "emails": [{ "value": "King@contoso.com" }] });
    let user = update(&home.db, login("id", "x-Ada", married)).await;
    assert_eq!(user.former_names, ["ada@contoso.com"], "folded, once, though it was userName and email");
    assert!(user.identifiers().contains(&"ada@contoso.com".to_owned()));
    assert!(find(&home.db, "userName", "ada@contoso.com").await.is_empty(), "a former name finds nobody");
    assert_eq!(find(&home.db, "emails", "king@contoso.com").await, ["id-Ada"]);

    let recased = json!({ "userName": "king@contoso.com" });
    assert_eq!(update(&home.db, login("id", "x-Ada", recased)).await.former_names, ["ada@contoso.com"]);

    let back = json!({ "userName": "ada@contoso.com" });
    assert!(update(&home.db, login("id", "x-Ada", back)).await.former_names.is_empty(), "king is still the email");
}

pub async fn a_name_given_up_is_free_for_somebody_else(home: &Home) {
    create(&home.db, person("ada")).await;
    update(&home.db, login("id", "x-ada", json!({ "userName": "king@contoso.com" }))).await;
    let heir = create(&home.db, login("id-heir", "x-heir", json!({ "userName": "Ada@contoso.com" }))).await;
    assert_eq!(find(&home.db, "userName", "ada@contoso.com").await, [heir.id.0]);
    let back = login("id", "x-ada", json!({ "userName": "ada@contoso.com" }));
    assert_eq!(home.db.users.provision(back, at(3_000)).await.unwrap(), Provisioned::Conflict("userName"));
}

pub async fn the_latest_ten_former_names_are_kept(home: &Home) {
    create(&home.db, login("id-ada", "x-ada", json!({ "userName": "name-0" }))).await;
    for number in 1..=14 {
        update(&home.db, login("id", "x-ada", json!({ "userName": format!("name-{number}") }))).await;
    }
    let user = home.db.users.user(&UserId("id-ada".to_owned())).await.unwrap().unwrap();
    let expected: Vec<String> = (4..14).map(|number| format!("name-{number}")).collect();
    assert_eq!(user.former_names, expected);
}
