//! Clients that don't hear of a sign-out: they hang, refuse, redirect, are gone. A132, A133.

use std::time::{Duration, Instant};

use vestibule::base::Span;

use super::stage::{ACCESS, SECOND, Stage, sids};
use crate::support::evil_client::{EvilClient, Says};
use crate::support::server::wait_until;

#[test]
fn a133_a_client_that_hangs_delays_neither_the_page_nor_another_client() {
    let stage = Stage::new();
    stage.clients.says(ACCESS, [Says::Hang]);
    let mut browser = stage.world.server.browser();
    let tokens = stage.world.sign_in(&mut browser);
    stage.second(&mut browser);
    let begun = Instant::now();
    stage.sign_out(&mut browser, &tokens);
    assert!(begun.elapsed() < Duration::from_secs(2), "the page took {:?}", begun.elapsed());
    stage.clients.wait_for(SECOND, 1);
    assert!(begun.elapsed() < Duration::from_secs(3), "the other one waited {:?}", begun.elapsed());

    stage.has_failed("access", 1);
    stage.clients.says(ACCESS, [Says::Status(204)]);
    stage.world.advance(Span::secs(7));
    stage.all_is_settled();
    assert_eq!(stage.clients.told(ACCESS).len(), 2);
}

#[test]
fn a133_what_a_client_refuses_or_fails_at_is_signed_afresh_and_brought_again() {
    let stage = Stage::new();
    stage.clients.says(ACCESS, [Says::Status(400), Says::Status(503), Says::Status(200)]);
    let mut browser = stage.world.server.browser();
    let tokens = stage.world.sign_in(&mut browser);
    stage.sign_out(&mut browser, &tokens);
    stage.has_failed("access", 1);
    stage.world.advance(Span::secs(7));
    stage.has_failed("access", 2);
    assert_eq!(stage.waiting("access"), 1);
    stage.world.advance(Span::secs(19));
    let told = stage.clients.wait_for(ACCESS, 3);
    stage.all_is_settled();
    let [first, second, third] = told.as_slice() else { panic!("{told:?}") };
    assert!(first.claim("jti") != second.claim("jti") && second.claim("jti") != third.claim("jti"));
    assert_eq!(third.claims()["iat"].as_i64(), Some(stage.world.now().secs()));
    assert_eq!(third.claims()["exp"].as_i64(), Some(stage.world.now().secs() + 120));
    assert_eq!(sids(&told).len(), 1, "always the same sign-out");
    assert_eq!((stage.ended("access", "failed"), stage.ended("access", "heard")), (2, 1));
}

#[test]
fn a132_a_redirect_is_not_followed_and_counts_as_not_heard() {
    let (stage, elsewhere) = (Stage::new(), EvilClient::start());
    stage.clients.says(ACCESS, [Says::Redirect(elsewhere.url("/inside"))]);
    stage.queue("access", 1);
    stage.has_failed("access", 1);
    assert_eq!(stage.waiting("access"), 1);
    assert!(elsewhere.is_untouched());
}

#[test]
fn a132_an_address_inside_is_not_called_unless_the_admin_allows_it() {
    let stage = Stage::new();
    let (allowed, config) = ("allow_private = [\"127.0.0.0/8\"]", &stage.world.server.running().ports().config);
    let known = config.snapshot().version;
    stage.world.server.reconfigure("vestibule.toml", allowed, "allow_private = [\"10.0.0.0/8\"]", || {
        config.reload();
        config.snapshot().version != known
    });
    // The guard follows within a second or so; what is queued before is heard still.
    let begun = Instant::now();
    while stage.ended("access", "failed") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the guard never follows");
        let ended = || stage.ended("access", "failed") + stage.ended("access", "heard");
        let before = ended();
        stage.queue("access", 1);
        wait_until("the client heard it, or was not asked", || ended() > before);
    }
    let before = stage.clients.told(ACCESS).len();
    stage.world.advance(Span::secs(7));
    stage.has_failed("access", 2);
    assert_eq!(stage.clients.told(ACCESS).len(), before, "nothing is sent");
}

#[test]
fn a133_an_answer_that_never_ends_is_as_good_as_its_status() {
    for says in [Says::Endless, Says::Unfinished] {
        let stage = Stage::new();
        stage.clients.says(ACCESS, [says]);
        stage.queue("access", 1);
        stage.all_is_settled();
        assert_eq!(stage.ended("access", "heard"), 1);
    }
}

#[test]
fn a133_a_client_that_is_down_is_asked_with_one_notice_at_a_time_until_it_hears() {
    let stage = Stage::new();
    stage.clients.says(ACCESS, [Says::Status(503)]);
    stage.queue("access", 300);
    stage.has_failed("access", 1);
    // Each time it rests longer, and is asked once.
    for (times, pause) in [(2, 7), (3, 19), (4, 73)] {
        stage.queue("second", 1);
        stage.clients.wait_for(SECOND, times - 1);
        assert_eq!(stage.clients.told(ACCESS).len(), times - 1, "it rests");
        stage.world.advance(Span::secs(pause));
        stage.has_failed("access", times as u64);
    }
    assert_eq!((stage.clients.told(ACCESS).len(), stage.waiting("access")), (4, 300));
    stage.clients.says(ACCESS, [Says::Status(200)]);
    stage.world.advance(Span::minutes(6));
    stage.clients.wait_for(ACCESS, 304);
    stage.all_is_settled();
    assert_eq!(stage.ended("access", "heard"), 300);
}

#[test]
fn a133_some_that_are_refused_hold_up_no_other() {
    let stage = Stage::new();
    stage.clients.says(ACCESS, (0..50).map(|_| Says::Status(400)).chain([Says::Status(200)]));
    stage.queue("access", 200);
    stage.clients.wait_for(ACCESS, 200);
    wait_until("only the refused ones wait", || stage.waiting("access") == 50);
    stage.world.advance(Span::secs(7));
    stage.all_is_settled();
}

#[test]
fn a133_what_waits_is_shown_and_given_up_after_a_day() {
    let stage = Stage::new();
    stage.clients.says(ACCESS, [Says::Status(500)]);
    stage.queue("access", 200);
    stage.has_failed("access", 1);
    assert!(!stage.cares().contains("\"client\""));
    stage.world.advance(Span::minutes(6));
    stage.has_failed("access", 2);
    assert!(stage.cares().contains("access has not heard of 200 sign-outs"), "{}", stage.cares());
    assert_eq!(stage.world.server.metric("vestibule_logout_notices_oldest_seconds{client=\"access\"}"), 360.0);
    stage.world.advance(Span::hours(23));
    stage.has_failed("access", 3);
    assert_eq!((stage.waiting("access"), stage.ended("access", "given_up")), (200, 0));
    stage.world.advance(Span::hours(1));
    stage.all_is_settled();
    wait_until("all are counted as given up", || stage.ended("access", "given_up") == 200);
    assert!(stage.clients.told(ACCESS).len() <= 5, "for two hundred: {}", stage.clients.told(ACCESS).len());
    assert!(!stage.cares().contains("\"client\""));
}

#[test]
fn notices_of_a_client_that_has_no_address_any_more_are_dropped() {
    let stage = Stage::new();
    stage.clients.says(ACCESS, [Says::Status(503)]);
    stage.queue("access", 300);
    stage.has_failed("access", 1);
    let line = format!("backchannel_logout_uri = \"{}\"", stage.clients.url(ACCESS));
    stage.world.advance(Span::secs(7));
    stage.world.server.reconfigure("clients/access.toml", &line, "", || {
        stage.world.advance(Span::secs(20));
        stage.waiting("access") == 0
    });
    assert_eq!((stage.ended("access", "heard"), stage.ended("access", "given_up")), (0, 0));
}

#[test]
fn notices_of_a_client_whose_address_is_away_for_a_moment_are_kept() {
    let stage = Stage::new();
    let uri = format!("backchannel_logout_uri = \"{}\"", stage.clients.url(ACCESS));
    let config = || stage.world.server.running().ports().config.snapshot();
    let address = || config().clients.values().any(|c| c.id.0 == "access" && c.backchannel_logout_uri.is_some());
    stage.world.server.reconfigure("clients/access.toml", &uri, "# away", || !address());
    // A server that has read the new files already queues this; so does one that still has the old ones.
    stage.queue("access", 3);
    stage.queue("second", 1);
    // A busy machine may make a client miss a notice: it is tried again as the time passes.
    wait_until("the other client hears on", || {
        stage.world.advance(Span::secs(1));
        stage.ended("second", "heard") >= 1
    });
    assert_eq!((stage.waiting("access"), stage.clients.told(ACCESS).len()), (3, 0));
    stage.world.server.reconfigure("clients/access.toml", "# away", &uri, address);
    wait_until("all three are heard", || {
        stage.world.advance(Span::secs(1));
        stage.waiting("access") == 0
    });
    assert_eq!(stage.ended("access", "heard"), 3);
}

#[test]
fn an_orderly_stop_waits_for_no_client_that_hangs_and_loses_no_notice() {
    let stage = Stage::new();
    stage.clients.says(ACCESS, [Says::Status(200), Says::Hang]);
    stage.queue("access", 200);
    stage.clients.wait_for(ACCESS, 10);
    let begun = Instant::now();
    let world = crate::world::World { server: stage.world.server.restart(), idp: stage.world.idp, other: None };
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    let stage = Stage { world, clients: stage.clients };
    stage.clients.says(ACCESS, [Says::Status(200)]);
    stage.world.advance(Span::secs(25));
    stage.all_is_settled();
    assert_eq!(sids(&stage.clients.told(ACCESS)).len(), 200);
}
