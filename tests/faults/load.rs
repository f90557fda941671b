//! Logins under way all the time while Redis dies and comes back: G01, G05, G07, G08, F01.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::nodes::on_redis;
use crate::support::browser::Page;
use crate::support::client::{Client, Tokens};
use crate::support::http::Response;
use crate::support::redis::RedisServer;
use crate::support::server::wait_until;
use crate::world::{World, person};

const USERS: usize = 6;

/// What everybody did, counted, and every answer that must never come.
#[derive(Default)]
struct Log {
    signed_in: AtomicUsize,
    put_off: AtomicUsize,
    /// Logins that a restart of Redis cut in two: begun before it, answered after.
    cut: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Log {
    fn wrong(&self, what: String) {
        self.wrong.lock().expect("no panic").push(what);
    }

    /// A 503 as it has to be.
    fn put_off(&self, answer: &Response) {
        self.put_off.fetch_add(1, Ordering::SeqCst);
        let after = answer.header("retry-after").and_then(|after| after.parse::<u32>().ok());
        if after.is_none() || answer.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")) {
            self.wrong(format!("a 503 without Retry-After or with a cookie cleared: {:?}", answer.headers));
        }
    }
}

/// One whole login of a marked person.
fn sign_in(world: &World, name: &str, log: &Log, lives: impl Fn() -> usize) {
    let before = lives();
    let client = Client::access();
    let ask = world.ask().hint(&format!("{name}@contoso.com"));
    let page = world.browser().open(&ask.url());
    let Page { answer: None, .. } = &page else {
        let answer = page.response();
        return match answer.status {
            503 => log.put_off(answer),
            // Forgotten by a store that was restarted in between: a page with a way on.
            400 if lives() != before => drop(log.cut.fetch_add(1, Ordering::SeqCst)),
            status => log.wrong(format!("{name}: a page, {status}, at {}", page.url)),
        };
    };
    let code = ask.answer(&page).code();
    let answer = client.redeem(&world.server, &ask, &code);
    match (answer.status, answer.error().as_str()) {
        (200, _) => {
            let tokens = Tokens::verified(&world.server, &client, Some(&ask), &answer);
            if tokens.claims["given_name"] != name {
                log.wrong(format!("g08: {name} became {}", tokens.claims["given_name"]));
            }
            log.signed_in.fetch_add(1, Ordering::SeqCst);
        }
        (503, "temporarily_unavailable") => log.put_off(&answer),
        (400, "invalid_grant") if lives() != before => drop(log.cut.fetch_add(1, Ordering::SeqCst)),
        _ => log.wrong(format!("{name}: {} {}", answer.status, answer.text())),
    }
}

/// Stops the load, also when the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn g05_while_redis_dies_and_returns_under_load_nothing_good_is_called_invalid() {
    let mut redis = RedisServer::start();
    let world = on_redis(&redis);
    let names: Vec<String> = (0..USERS).map(|nth| format!("person{nth}")).collect();
    world.idp.set(|script| {
        script.by_hint = names.iter().map(|name| (format!("{name}@contoso.com"), person(name))).collect();
    });
    let (log, over, lives) = (Log::default(), AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for name in &names {
            let (world, log, over, lives) = (&world, &log, &over, &lives);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    sign_in(world, name, log, || lives.load(Ordering::SeqCst));
                }
            });
        }
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        for round in 1..=3 {
            let (signed_in, put_off) = (count(&log.signed_in), count(&log.put_off));
            wait_until("logins go on", || count(&log.signed_in) >= signed_in + USERS);
            lives.fetch_add(1, Ordering::SeqCst);
            redis.kill();
            wait_until("logins are put off", || count(&log.put_off) >= put_off + USERS);
            redis.restart();
            wait_until("logins go on again", || world.server.get("/readyz").status == 200);
            let signed_in = count(&log.signed_in);
            wait_until(&format!("round {round}"), || count(&log.signed_in) >= signed_in + USERS);
        }
    });
    let wrong = log.wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
