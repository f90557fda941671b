//! Which person an upstream identity is, and what becomes of those who are nobody.

mod ambiguous;
mod names;
mod two_directories;

use vestibule::directory::{JitUser, Provisioned};
use vestibule::identity::UserId;

use serde_json::Value;

use crate::support::browser::{Browser, Page};
use crate::support::client::Client;
use crate::support::evil_idp::EvilIdp;
use crate::support::server::block_on;
use crate::world::{World, reference, without_reference};

/// A login that ends at the page "not provisioned": its text, without what differs each time. Nothing is left of it.
#[track_caller]
fn is_barred(world: &World, browser: &mut Browser) -> String {
    barred_page(world, browser).1
}

#[track_caller]
fn barred_page(world: &World, browser: &mut Browser) -> (Page, String) {
    let page = browser.open(&Client::access().ask(&world.server).url());
    let text = world.is_page(&page, 403);
    let session = browser.cookies(&world.server.base).into_iter().find(|cookie| cookie.name.contains("session"));
    assert!(session.is_none(), "a session cookie: {session:?}");
    let form = page.form_with("handle");
    let handle = &form.fields.iter().find(|(name, _)| name == "handle").expect("found by it").1;
    let text = without_reference(&text.replace(handle.as_str(), "HANDLE"));
    (page, text)
}

/// Why the login ended, as its trace tells an admin: all facts of the step `match`.
#[track_caller]
fn told_to_admins(world: &World, page: &Page) -> String {
    let reference = reference(&page.text()).expect("a reference");
    let traces = &world.server.running().ports().directory.traces;
    let found = std::cell::RefCell::new(None);
    crate::support::server::wait_until("the trace is written", || {
        *found.borrow_mut() = block_on(traces.trace(&reference)).expect("the database works");
        found.borrow().is_some()
    });
    let trace = found.into_inner().expect("waited for");
    serde_json::to_string(&trace).expect("JSON")
}

/// A user as provisioning would write it, in any directory. Gives its internal id.
#[track_caller]
fn provision(world: &World, directory: &str, attributes: &[(&str, Value)]) -> String {
    let external = attributes.iter().find(|(n, _)| *n == "externalId").and_then(|(_, v)| v.as_str()).expect("given");
    let user = JitUser {
        fresh_id: UserId(format!("id-in-{directory}-of-{external}")),
        directory: directory.to_owned(),
        match_attribute: "externalId".to_owned(),
        match_value: external.to_owned(),
        attributes: attributes.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
        email_verified: false,
    };
    let users = &world.server.running().ports().directory.users;
    match block_on(users.provision(user, world.now())).expect("the database works") {
        Provisioned::Created(user) | Provisioned::Updated(user) | Provisioned::Unchanged(user) => user.id.0,
        Provisioned::Conflict(what) => panic!("{what} belongs to somebody else"),
    }
}

/// Sets or, with `null`, keeps a claim of whoever signs in next.
fn says(idp: &EvilIdp, claim: &str, value: Value) {
    idp.set(|script| {
        script.person.insert(claim.to_owned(), value);
    });
}

/// Leaves a claim out.
fn leaves_out(idp: &EvilIdp, claim: &str) {
    idp.set(|script| {
        script.person.remove(claim);
    });
}
