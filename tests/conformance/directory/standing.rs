//! What decides whether something issued earlier still holds; sign-outs.

use vestibule::directory::Activity;
use vestibule::identity::UserId;

use super::home::{Home, at, bound_family, create, family, family_id, person};

pub async fn a_user_in_good_standing(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    home.db.families.begin(family("f", "s1")).await.unwrap();
    let standing = home.db.users.standing(&ada.id, Some("s1"), &[&family_id("f")]).await.unwrap().unwrap();
    assert_eq!(standing.user, ada);
    assert!(!standing.signed_out && !standing.family_revoked);
    let bare = home.db.users.standing(&ada.id, None, &[]).await.unwrap().unwrap();
    assert!(!bare.signed_out && !bare.family_revoked);
    let unborn = home.db.users.standing(&ada.id, Some("s9"), &[&family_id("unborn")]).await.unwrap().unwrap();
    assert!(!unborn.signed_out && !unborn.family_revoked);
}

pub async fn nobody_has_no_standing(home: &Home) {
    home.db.sign_outs.sign_out("s1", at(1), at(9_999), Vec::new()).await.unwrap();
    let nobody = UserId("id-nobody".to_owned());
    assert_eq!(home.db.users.standing(&nobody, Some("s1"), &[]).await.unwrap(), None);
}

pub async fn a127_a_session_signed_out_stays_so(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    home.db.sign_outs.sign_out("s1", at(2_000), at(9_000), Vec::new()).await.unwrap();
    for db in [&home.db, &(home.reopen)()] {
        assert!(db.users.standing(&ada.id, Some("s1"), &[]).await.unwrap().unwrap().signed_out);
        assert!(!db.users.standing(&ada.id, Some("s2"), &[]).await.unwrap().unwrap().signed_out);
        assert!(!db.users.standing(&ada.id, Some("S1"), &[]).await.unwrap().unwrap().signed_out);
        assert!(!db.users.standing(&ada.id, None, &[]).await.unwrap().unwrap().signed_out);
    }
}

pub async fn a_sign_out_ends_the_families_bound_to_the_session_and_no_others(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    for family in [bound_family("bound", "s1"), family("offline", "s1"), bound_family("elsewhere", "s2")] {
        assert!(home.db.families.begin(family).await.unwrap());
    }
    home.db.sign_outs.sign_out("s1", at(2_000), at(9_000), Vec::new()).await.unwrap();
    for (name, revoked_at) in [("bound", Some(at(2_000))), ("offline", None), ("elsewhere", None)] {
        assert_eq!(home.db.families.family(&family_id(name)).await.unwrap().unwrap().revoked_at, revoked_at, "{name}");
        let standing = home.db.users.standing(&ada.id, None, &[&family_id(name)]).await.unwrap().unwrap();
        assert_eq!(standing.family_revoked, revoked_at.is_some(), "{name}");
    }
    assert!(!home.db.families.begin(bound_family("late", "s1")).await.unwrap(), "born after its session ended");
    assert!(home.db.families.begin(family("late and offline", "s1")).await.unwrap());
    assert_eq!(home.db.families.family(&family_id("late")).await.unwrap(), None);
}

pub async fn a_second_sign_out_moves_nothing_back(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    home.db.families.begin(bound_family("bound", "s1")).await.unwrap();
    home.db.sign_outs.sign_out("s1", at(2_000), at(9_000), Vec::new()).await.unwrap();
    home.db.sign_outs.sign_out("s1", at(2_500), at(3_000), Vec::new()).await.unwrap();
    assert_eq!(home.db.families.family(&family_id("bound")).await.unwrap().unwrap().revoked_at, Some(at(2_000)));
    home.db.traces.purge(at(8_999), vestibule::base::Span::ZERO).await.unwrap();
    assert!(home.db.users.standing(&ada.id, Some("s1"), &[]).await.unwrap().unwrap().signed_out);
    home.db.sign_outs.sign_out("s1", at(2_500), at(20_000), Vec::new()).await.unwrap();
    home.db.traces.purge(at(19_999), vestibule::base::Span::ZERO).await.unwrap();
    assert!(home.db.users.standing(&ada.id, Some("s1"), &[]).await.unwrap().unwrap().signed_out);
}

pub async fn a_user_switched_off_shows_in_its_standing(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    home.db.families.begin(family("f", "s1")).await.unwrap();
    home.db.users.set_active(&ada.id, Activity::Inactive, at(4_000)).await.unwrap();
    let standing = home.db.users.standing(&ada.id, Some("s1"), &[&family_id("f")]).await.unwrap().unwrap();
    assert!(!standing.user.active && standing.family_revoked && !standing.signed_out);
    assert_eq!(standing.user.sessions_valid_from, at(4_000));
}

pub async fn a_family_revoked_before_it_was_born_shows_in_its_users_standing(home: &Home) {
    let ada = create(&home.db, person("ada")).await;
    home.db.families.revoke(&family_id("unborn"), at(2_000)).await.unwrap();
    let standing = home.db.users.standing(&ada.id, None, &[&family_id("unborn")]).await.unwrap().unwrap();
    assert!(standing.family_revoked);
}
