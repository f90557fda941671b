//! "A deleted attribute mapping leaves values behind": what a directory confirms no longer is out of use at once.

use serde_json::json;
use vestibule::base::Span;
use vestibule::directory::roster::Subject;
use vestibule::identity::UserId;

use super::town::{BOTH, DIRECTORY, ENTERPRISE, Person, Town};
use crate::support::server::{block_on, wait_until};

fn unconfirm(town: &Town) {
    confirmed(town, ("\"department\", ", ""), |confirms| !confirms);
}

fn confirm_again(town: &Town) {
    confirmed(town, ("\"nickName\", ", "\"nickName\", \"department\", "), |confirms| confirms);
}

fn confirmed(town: &Town, (from, to): (&str, &str), holds: impl Fn(bool) -> bool) {
    let server = &town.stage.world.server;
    let ports = server.running().ports();
    server.reconfigure(DIRECTORY, from, to, || {
        let config = ports.config.snapshot();
        holds(config.directories["contoso"].confirms("department"))
    });
}

fn holders(town: &Town) -> u64 {
    let upkeep = &town.stage.world.server.running().ports().directory.upkeep;
    block_on(upkeep.holders_of("contoso", "department")).expect("the database works")
}

/// Whether a service would hear of this person, and of the other not.
fn is_announced(town: &Town, since: u64, person: &Person) -> bool {
    town.changes(since).iter().any(|change| change.subject == Subject::User(UserId(person.id.clone())))
}

#[track_caller]
fn is_out_of_use(town: &Town, person: &Person) {
    let path = format!("/Users/{}", person.id);
    let shown = town.call("GET", &path, None).json();
    assert_eq!(shown.get(ENTERPRISE), None, "{shown}");
    assert_eq!(shown["nickName"], "Nick", "others are as they were");
    assert_eq!(town.claims(person).get("department"), None);
    let filter = "/Users?filter=department%20eq%20%22Research%22";
    let refused = town.call("GET", filter, None);
    assert_eq!((refused.status, refused.json()["scimType"].as_str()), (400, Some("invalidFilter")));
}

/// What `vestibule check` says beside the running server.
fn checked(town: &Town) -> String {
    let mut check = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"));
    for (name, value) in
        [("IDP_SECRET", "idp-secret"), ("ACCESS_SECRET", "access-secret"), ("SECOND_SECRET", "second-secret")]
    {
        check.env(name, value);
    }
    let done = check.args(["check", "--config"]).arg(town.stage.world.server.folder()).output().expect("it runs");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn a_deleted_attribute_mapping_leaves_values_behind_no_more() {
    for source in BOTH {
        let town = Town::new(source);
        let ada = town.hire("ada");
        let mut body = town.body("bob");
        body.as_object_mut().map(|fields| fields.remove(ENTERPRISE));
        let bob = town.hire_as("bob", &body);
        let path = format!("/Users/{}", ada.id);
        let mut seen_by_okta = town.call("GET", &path, None).json();
        assert_eq!(town.claims(&ada)["department"], "Research");
        let before = town.newest();

        assert!(!checked(&town).contains("DIR08"));
        unconfirm(&town);
        is_out_of_use(&town, &ada);
        wait_until("services will be told to clear it", || is_announced(&town, before, &ada));
        assert!(!is_announced(&town, before, &bob), "who has no value is not concerned");
        let told = checked(&town);
        assert!(told.contains("DIR08") && told.contains("1 user has `department`"), "{told}");
        // What Okta read before, or still has, brings nothing back; nor does a PATCH.
        seen_by_okta["displayName"] = json!("Ada Adams");
        town.done("PUT", &path, &seen_by_okta);
        town.patch(&path, &json!([{ "op": "Replace", "path": format!("{ENTERPRISE}:department"), "value": "Sales" }]));
        is_out_of_use(&town, &ada);
        assert_eq!(town.call("GET", &path, None).json()["displayName"], "Ada Adams");
        let carl = town.hire("carl");
        assert_eq!(town.claims(&carl).get("department"), None);
        assert_eq!(holders(&town), 1, "nothing new is stored: Ada's old value is kept aside");
    }
}

#[test]
fn a_deleted_attribute_mapping_leaves_values_behind_no_more_but_a_slip_of_the_pen_loses_none() {
    for source in BOTH {
        let town = Town::new(source);
        let ada = town.hire("ada");
        let before = town.newest();
        unconfirm(&town);
        is_out_of_use(&town, &ada);
        wait_until("services will be told to clear it", || is_announced(&town, before, &ada));
        town.stage.world.advance(Span::days(6));
        let before = town.newest();
        confirm_again(&town);
        wait_until("services will be told of it again", || is_announced(&town, before, &ada));
        assert_eq!(town.claims(&ada)["department"], "Research");
        town.stage.world.advance(Span::days(30));
        let shown = town.call("GET", &format!("/Users/{}", ada.id), None).json();
        assert_eq!(shown[ENTERPRISE]["department"], "Research");
    }
}

#[test]
fn a_deleted_attribute_mapping_leaves_values_behind_no_more_once_its_time_is_over() {
    for source in BOTH {
        let town = Town::new(source);
        let ada = town.hire("ada");
        let before = town.newest();
        unconfirm(&town);
        wait_until("services will be told to clear it", || is_announced(&town, before, &ada));
        assert_eq!(holders(&town), 1);
        town.stage.world.advance(Span::days(7));
        wait_until("the values are erased", || holders(&town) == 0);
        confirm_again(&town);
        assert_eq!(town.claims(&ada).get("department"), None);
        let stored = town.stored(&ada).expect("it is there");
        assert_eq!(stored.user.attributes["nickName"], json!("Nick"));
        assert_eq!(stored.user.attributes.get("department"), None);
    }
}
