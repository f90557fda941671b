use serde_json::json;

use super::*;
use crate::base::Span;
use crate::identity::{Source, UserId};
use crate::scim::samples::stored;

const GUID: &str = "6b29fc40-ca47-1067-b31d-00dd010662da";
const HEX: &str = "6b29fc40ca471067b31d00dd010662da";

fn now() -> Moment {
    Moment::from_ms(1_800_000_000_000)
}

fn entra() -> Dialect {
    Dialect::preset(Source::Azure)
}

/// Ada, with these attributes beside her name.
fn ada(more: &serde_json::Value) -> StoredUser {
    let mut user = stored(&json!({ "userName": "ada@contoso.com", "emails": [{ "value": "ada@home.test" }] }));
    for (name, value) in more.as_object().into_iter().flatten() {
        user.user.attributes.insert(name.clone(), value.clone());
    }
    user
}

/// What she is now, with another name and state.
fn draft(user: &StoredUser, name: &str, active: bool) -> Draft {
    let mut attributes = user.user.attributes.clone();
    attributes.insert("userName".to_owned(), name.into());
    Draft { attributes, active }
}

fn settled(user: &StoredUser, name: &str, active: bool) -> StoredUser {
    settle(user, draft(user, name, active), &entra(), now())
}

#[test]
fn switching_off_notes_when_and_switching_on_forgets_it_e20_o16() {
    let user = ada(&json!({}));
    let off = settled(&user, "ada@contoso.com", false);
    assert_eq!((off.user.active, off.inactive_since), (false, Some(now())));
    let later = settle(&off, draft(&off, "ada@contoso.com", false), &entra(), now().plus(Span::days(1)));
    assert_eq!(later.inactive_since, Some(now()), "still since then");
    let on = settled(&later, "ada@contoso.com", true);
    assert_eq!((on.user.active, on.inactive_since), (true, None));
    assert_eq!(on, user, "nothing else is left of it");
}

#[test]
fn a_tombstone_is_shown_and_the_real_name_is_kept_aside_e37() {
    for more in [json!({ "externalId": GUID }), json!({ "externalId": "e-1" }), json!({})] {
        let user = ada(&more);
        let gone = settled(&user, &format!("{HEX}ada@contoso.com"), false);
        assert_eq!(gone.identity_name.as_deref(), Some("ada@contoso.com"), "{more}");
        assert_eq!(gone.user.user_name(), Some(&*format!("{HEX}ada@contoso.com")));
        assert_eq!(gone.user.former_names, [""; 0]);
        let again = settled(&gone, &format!("{HEX}ada@contoso.com"), false);
        assert_eq!(again, gone, "said twice it is the same");
    }
}

#[test]
fn a_rename_that_only_looks_like_a_tombstone_is_a_rename() {
    let user = ada(&json!({ "externalId": "18e59fbd-bd00-456d-a203-b120a70e5faa" }));
    let other_guid = settled(&user, &format!("{HEX}ada@contoso.com"), false);
    assert_eq!(other_guid.identity_name, None);
    assert_eq!(other_guid.user.former_names, ["ada@contoso.com"]);
    let user = ada(&json!({}));
    for (name, active) in [
        (format!("{HEX}ada@contoso.com"), true),
        (format!("{HEX}bob@contoso.com"), false),
        (format!("{}ada@contoso.com", &HEX[1..]), false),
        (format!("g{}ada@contoso.com", &HEX[1..]), false),
        ("ä".repeat(40), false),
    ] {
        assert_eq!(settled(&user, &name, active).identity_name, None, "{name} {active}");
    }
    let okta =
        settle(&user, draft(&user, &format!("{HEX}ada@contoso.com"), false), &Dialect::preset(Source::Okta), now());
    assert_eq!(okta.identity_name, None, "where the dialect knows none");
}

#[test]
fn a_user_who_is_restored_has_the_old_name_and_no_trace_of_the_tombstone_e37_e20() {
    let user = ada(&json!({ "externalId": GUID }));
    let gone = settled(&user, &format!("{HEX}ada@contoso.com"), false);
    assert_eq!(settled(&gone, "ada@contoso.com", true), user);
    let awake = settled(&gone, &format!("{HEX}ada@contoso.com"), true);
    assert_eq!(awake.identity_name.as_deref(), Some("ada@contoso.com"), "the tombstone is nobody's name meanwhile");
    assert_eq!(awake.user.former_names, [""; 0]);
    assert_eq!(settled(&awake, "ada@contoso.com", true), user, "in two steps too");
    let named = settled(&gone, "ada@contoso.com", false);
    assert_eq!(settled(&named, "ada@contoso.com", true), user, "in either order");
    let renamed = settled(&gone, "ada.king@contoso.com", true);
    assert_eq!(renamed.identity_name, None);
    assert_eq!(renamed.user.former_names, ["ada@contoso.com"], "the real name, not the tombstone");
}

#[test]
fn a_tombstone_is_recognised_in_whatever_order_it_comes_e37() {
    for more in [json!({ "externalId": GUID }), json!({})] {
        let user = ada(&more);
        let tombstone = format!("{HEX}Ada@contoso.com");
        let off_first = settled(&settled(&user, "ada@contoso.com", false), &tombstone, false);
        let renamed = settled(&user, &tombstone, true);
        assert_eq!(renamed.identity_name, None, "an ordinary name of somebody who may sign in");
        let renamed_first = settled(&renamed, &tombstone, false);
        for (gone, real) in [(&off_first, "ada@contoso.com"), (&renamed_first, "Ada@contoso.com")] {
            assert_eq!(gone.identity_name.as_deref(), Some(real), "{more}");
            assert_eq!(settled(gone, &tombstone, false), *gone);
            assert_eq!(settled(gone, "ada@contoso.com", true), user, "{more}");
        }
        // Who is renamed twice while off was called what came before both.
        let twice = settled(&off_first, "bob@contoso.com", false);
        assert_eq!(twice.identity_name, None);
        assert_eq!(twice.user.former_names, ["ada@contoso.com"]);
    }
    // Somebody else's digits are no tombstone in this order either.
    let user = ada(&json!({ "externalId": "18e59fbd-bd00-456d-a203-b120a70e5faa" }));
    let renamed = settled(&user, &format!("{HEX}ada@contoso.com"), true);
    assert_eq!(settled(&renamed, &format!("{HEX}ada@contoso.com"), false).identity_name, None);
}

#[test]
fn a_change_of_mail_is_unproven_and_the_old_name_remembered() {
    let user = ada(&json!({}));
    let mut changed = draft(&user, "ada.king@contoso.com", true);
    changed.attributes.insert("emails".to_owned(), json!([{ "value": "ada.king@contoso.com" }]));
    let next = settle(&user, changed, &entra(), now());
    assert!(!next.user.email_verified);
    assert_eq!(next.user.former_names, ["ada@contoso.com", "ada@home.test"]);
    let mut written = draft(&user, "ada@contoso.com", true);
    written.attributes.insert("emails".to_owned(), json!([{ "value": "ADA@home.test", "type": "work" }]));
    assert!(settle(&user, written, &entra(), now()).user.email_verified, "the same mail");
    assert_eq!((next.version, next.seq, next.user.updated_at), (user.version, user.seq, user.user.updated_at));
}

#[test]
fn a_post_of_somebody_who_was_switched_off_brings_them_back_by_the_dialect() {
    let gone = StoredUser {
        inactive_since: Some(now()),
        ..settled(&ada(&json!({ "externalId": "00u1" })), "ada@contoso.com", false)
    };
    let guid = settled(&ada(&json!({ "externalId": GUID })), "ada@contoso.com", false);
    for (source, holder, revived) in [
        (Source::Okta, &gone, true),
        (Source::Generic, &gone, true),
        (Source::Azure, &gone, false),
        (Source::Azure, &guid, true),
    ] {
        let dialect = Dialect::preset(source);
        let arrival = arriving(&draft(holder, "ada@contoso.com", true), &dialect, Some(holder), Some(holder));
        match arrival {
            Arrival::Revive(user) => assert!(revived && *user == *holder, "{source:?}"),
            Arrival::Conflict(refusal) => {
                assert!(!revived && refusal.attribute.as_deref() == Some("externalId"), "{source:?}");
            }
            Arrival::Create => panic!("{source:?}: a second one"),
        }
    }
    let refusing = Dialect { returning: Returning::Refuse, ..entra() };
    assert!(matches!(arriving(&draft(&guid, "a", true), &refusing, Some(&guid), None), Arrival::Conflict(_)));
}

#[test]
fn a226_a_post_of_a_name_or_id_that_somebody_holds_is_a_conflict_that_names_the_holder() {
    let okta = Dialect::preset(Source::Okta);
    let active = ada(&json!({ "externalId": "00u1" }));
    let inactive = settled(&active, "ada@contoso.com", false);
    let mut bob = ada(&json!({ "externalId": "00u2" }));
    bob.user.id = UserId("b".to_owned());
    let posted = draft(&active, "ada@contoso.com", true);
    for (by_external_id, by_user_name, attribute, external_id) in [
        (Some(&active), Some(&active), "externalId", "00u1"),
        (Some(&active), None, "externalId", "00u1"),
        (None, Some(&active), "userName", "00u1"),
        (None, Some(&inactive), "userName", "00u1"),
        (Some(&inactive), Some(&bob), "userName", "00u2"),
    ] {
        let Arrival::Conflict(refusal) = arriving(&posted, &okta, by_external_id, by_user_name) else {
            panic!("{attribute}: no conflict");
        };
        assert_eq!((refusal.status, refusal.attribute.as_deref()), (409, Some(attribute)));
        assert!(refusal.detail.contains(external_id), "{}", refusal.detail);
        assert_eq!(refusal.body()["scimType"], "uniqueness");
    }
    assert_eq!(arriving(&posted, &okta, None, None), Arrival::Create);
    assert!(taken("userName", None).detail.contains("without externalId"));
}
