use super::super::samples::{NOW, client, grant};
use super::*;
use crate::base::Span;
use crate::oidc::client::ClientCredential;

const UNUSED: AccessUse = AccessUse::Unused;

/// The digests of a pair called `name`.
fn pair(name: &str) -> NewTokens {
    NewTokens { refresh: Digest::of(format!("refresh {name}")), access: Digest::of(format!("access {name}")) }
}

fn family(scopes: &[Scope]) -> Family {
    Family::begin(FamilyId(Digest::of("family")), &grant(scopes), pair("1"), &TokenLifetimes::default(), NOW)
}

fn turned() -> Family {
    family(&Scope::ALL).rotate(pair("2"), &client().tokens, NOW)
}

fn ask(family: &Family, name: &str, after: Span) -> Turn {
    present(family, pair(name).refresh, &client(), UNUSED, NOW.plus(after))
}

#[test]
fn a100_a_rotated_token_used_later_is_reuse() {
    assert_eq!(ask(&turned(), "1", Span::from_ms(10_001)), Turn::Reuse(Alarm::TooLate));
    let twice = turned().rotate(pair("3"), &client().tokens, NOW);
    assert_eq!(ask(&twice, "1", Span::ZERO), Turn::Reuse(Alarm::UnknownToken), "the one before the last");
    assert_eq!(ask(&twice, "invented", Span::ZERO), Turn::Reuse(Alarm::UnknownToken));
}

#[test]
fn a101_a_lost_answer_may_be_asked_for_again() {
    let family = turned();
    let repeat = Turn::Repeat { void_access: pair("2").access };
    assert_eq!(ask(&family, "1", Span::ZERO), repeat);
    assert_eq!(ask(&family, "1", Span::secs(10)), repeat);
    let repeated = family.repeat(pair("3"));
    assert_eq!(ask(&repeated, "3", Span::secs(60)), Turn::Rotate, "the new pair is the good one");
    assert_eq!(ask(&repeated, "2", Span::ZERO), Turn::Reuse(Alarm::UnknownToken), "the unused one is void");
    let again = Turn::Repeat { void_access: pair("3").access };
    assert_eq!(ask(&repeated, "1", Span::secs(10)), again);
    assert_eq!(ask(&repeated, "1", Span::secs(11)), Turn::Reuse(Alarm::TooLate), "a repeat opens no new window");
}

#[test]
fn a101_only_the_same_client_may_ask_and_only_before_the_successor_was_used() {
    let old = pair("1").refresh;
    let used = present(&turned(), old, &client(), AccessUse::Used, NOW);
    assert_eq!(used, Turn::Reuse(Alarm::SuccessorUsed));
    let public = Client { credential: ClientCredential::Public, ..client() };
    assert_eq!(present(&turned(), old, &public, UNUSED, NOW), Turn::Reuse(Alarm::PublicClient));
    assert_eq!(present(&turned(), pair("2").refresh, &public, UNUSED, NOW), Turn::Rotate);
    let successor_presented = turned().rotate(pair("3"), &client().tokens, NOW);
    assert_eq!(ask(&successor_presented, "1", Span::ZERO), Turn::Reuse(Alarm::UnknownToken));
}

#[test]
fn a099_the_twenty_first_repeat_is_refused_and_the_family_lives() {
    let mut family = turned();
    for repeat in 0..REFRESH_REPEATS_MAX {
        assert!(matches!(ask(&family, "1", Span::ZERO), Turn::Repeat { .. }), "{repeat}");
        family = family.repeat(pair(&format!("repeat {repeat}")));
    }
    assert_eq!(ask(&family, "1", Span::ZERO), Turn::TooManyRepeats);
    assert_eq!(ask(&family, "repeat 19", Span::ZERO), Turn::Rotate);
    assert_eq!(family.rotate(pair("x"), &client().tokens, NOW).repeats, 0);
}

#[test]
fn a102_a_clock_that_was_set_back_opens_no_window() {
    let earlier = NOW.minus(Span::hours(1));
    let turn = present(&turned(), pair("1").refresh, &client(), UNUSED, earlier);
    assert_eq!(turn, Turn::Reuse(Alarm::TooLate));
    let a_little = NOW.minus(Span::from_ms(300));
    let turn = present(&turned(), pair("1").refresh, &client(), UNUSED, a_little);
    assert!(matches!(turn, Turn::Repeat { .. }), "another machine's clock");
}

#[test]
fn a103_another_clients_token_is_told_apart_first() {
    let other = Client { id: ClientId("other".to_owned()), ..client() };
    for name in ["1", "2", "invented"] {
        assert_eq!(present(&turned(), pair(name).refresh, &other, UNUSED, NOW), Turn::ForeignClient);
    }
}

#[test]
fn a105_scopes_only_shrink() {
    let family = family(&[Scope::Openid, Scope::Profile, Scope::OfflineAccess]);
    let client = client();
    let of = |asked| narrow(&family, asked, &client).map_err(|error| error.code);
    let all = Ok(vec![Scope::Openid, Scope::Profile, Scope::OfflineAccess]);
    assert_eq!(of(None), all);
    assert_eq!(of(Some("")), all);
    assert_eq!(of(Some("offline_access profile openid openid")), all);
    assert_eq!(of(Some("profile")), Ok(vec![Scope::Profile]));
    for wider in ["openid email", "openid made-up", "OPENID"] {
        assert_eq!(of(Some(wider)), Err(ErrorCode::InvalidScope), "{wider}");
    }
    assert_eq!(of(Some(&"openid ".repeat(101))), Err(ErrorCode::InvalidScope));
    let smaller = Client { scopes: vec![Scope::Openid, Scope::OfflineAccess], ..client.clone() };
    assert_eq!(narrow(&family, None, &smaller), Ok(vec![Scope::Openid, Scope::OfflineAccess]));
}

#[test]
fn a105_a_family_ends_when_its_kind_leaves_the_clients_file() {
    let dead = Turn::Dead(Why::RefreshNotAllowed);
    let of = |family: &Family, client: &Client| present(family, pair("1").refresh, client, UNUSED, NOW);
    let offline = family(&Scope::ALL);
    assert_eq!(of(&offline, &client()), Turn::Rotate);
    assert_eq!(of(&offline, &Client { scopes: vec![Scope::Openid], ..client() }), dead);
    assert_eq!(of(&offline, &Client { grant_types: Vec::new(), ..client() }), dead);
    let bound = family(&[Scope::Openid]);
    assert_eq!(of(&bound, &client()), dead);
    let mut without_offline = client();
    without_offline.tokens.refresh_without_offline = true;
    assert_eq!(of(&bound, &without_offline), Turn::Rotate);
    assert!(bound.bound_to_session && !offline.bound_to_session);
}

#[test]
fn a106_a_family_ends_by_its_times_and_rotation_never_moves_the_absolute_one() {
    let first = family(&Scope::ALL);
    assert!(matches!(ask(&first, "1", Span::from_ms(Span::days(4).ms() - 1)), Turn::Rotate));
    assert_eq!(ask(&first, "1", Span::days(4)), Turn::Dead(Why::Idle));
    let mut family = first.clone();
    for day in (3..90).step_by(3) {
        family = family.rotate(pair(&format!("day {day}")), &client().tokens, NOW.plus(Span::days(day)));
        assert_eq!(family.ends, first.ends);
        assert!(family.idle_ends <= family.ends);
    }
    assert_eq!(ask(&family, "day 87", Span::from_ms(Span::days(90).ms() - 1)), Turn::Rotate);
    assert_eq!(ask(&family, "day 87", Span::days(90)), Turn::Dead(Why::Expired));
    let revoked = Family { revoked_at: Some(NOW), ..first };
    assert_eq!(ask(&revoked, "1", Span::ZERO), Turn::Dead(Why::Revoked));
}

#[test]
fn a_refresh_token_is_given_for_offline_access_or_without_if_the_client_says_so() {
    let mut client = client();
    assert!(is_refreshable(&grant(&Scope::ALL), &client));
    assert!(!is_refreshable(&grant(&[Scope::Openid]), &client));
    client.tokens.refresh_without_offline = true;
    assert!(is_refreshable(&grant(&[Scope::Openid]), &client));
    client.grant_types.clear();
    assert!(!is_refreshable(&grant(&Scope::ALL), &client));
}

#[test]
fn a_familys_grant_is_the_first_one_without_its_nonce() {
    let scopes = vec![Scope::Openid];
    assert_eq!(turned().grant(scopes.clone()), grant(&scopes).without_nonce());
}
