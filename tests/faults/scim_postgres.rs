//! SCIM on PostgreSQL: the database killed, restarted and frozen under load, and two servers that share it. F12, F14, G03.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::nodes::{at_once, on_redis_with};
use super::postgres::{on_postgres_with, onto};
use crate::support::client::{Client, userinfo};
use crate::support::http::Response;
use crate::support::postgres::PostgresServer;
use crate::support::redis::RedisServer;
use crate::support::scim::{Scim, id, is_error, person as body};
use crate::support::server::{Server, Setup, wait_until};
use crate::world::{OFFLINE, World, assert_page, assert_refused, person};

const WRITERS: usize = 4;

/// What the writers were told.
#[derive(Default)]
struct Told {
    /// Names of people who were made, and their ids.
    made: Mutex<Vec<(String, String)>>,
    /// Ids of people who were made members.
    joined: Mutex<BTreeSet<String>>,
    put_off: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Told {
    fn made(&self) -> usize {
        self.made.lock().expect("no panic").len()
    }

    /// Whether it was done; what isn't, is put off as it has to be.
    fn done(&self, answer: &Response, status: u16) -> bool {
        if answer.status == status {
            return true;
        }
        let after = answer.header("retry-after").and_then(|after| after.parse::<u32>().ok());
        if answer.status != 503 || after.is_none_or(|after| after == 0) {
            self.wrong.lock().expect("no panic").push(format!("{} {}", answer.status, answer.text()));
        }
        self.put_off.fetch_add(1, Ordering::SeqCst);
        false
    }
}

fn write_on(scim: &Scim<'_>, (writer, group): (usize, &str), told: &Told, over: &AtomicBool) {
    for number in 0.. {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let name = format!("p{writer}-{number}");
        let answer = scim.post("/Users", &body(&format!("{name}@contoso.com"), &name));
        if !told.done(&answer, 201) {
            continue;
        }
        let made = id(&answer.json()).to_owned();
        told.made.lock().expect("no panic").push((name, made.clone()));
        let join = json!([{ "op": "add", "path": "members", "value": [{ "value": made }] }]);
        let answer = scim.patch(&format!("/Groups/{group}"), &join);
        if answer.status == 200 || told.done(&answer, 204) {
            told.joined.lock().expect("no panic").insert(made);
        }
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
fn f12_postgresql_killed_and_restarted_under_scim_writes_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let mut postgres = PostgresServer::start();
    let world = on_postgres_with(&postgres, |setup| {
        setup.provisioned();
    });
    let scim = Scim::new(&world.server);
    let group = id(&scim.group("Everybody", &[])).to_owned();
    let (told, over) = (Told::default(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for writer in 0..WRITERS {
            let (scim, group, told, over) = (&scim, group.as_str(), &told, &over);
            scope.spawn(move || write_on(scim, (writer, group), told, over));
        }
        for _ in 0..3 {
            let made = told.made();
            wait_until("writes go on", || told.made() >= made + 2 * WRITERS);
            let put_off = told.put_off.load(Ordering::SeqCst);
            postgres.kill();
            wait_until("writes are put off", || told.put_off.load(Ordering::SeqCst) >= put_off + WRITERS);
            postgres.restart();
        }
        let made = told.made();
        wait_until("writes go on again", || told.made() >= made + 2 * WRITERS);
    });
    assert_eq!(*told.wrong.lock().expect("no panic"), Vec::<String>::new());
    for (name, made) in told.made.lock().expect("no panic").iter() {
        let found = scim.found("Users", &format!("userName eq \"{name}@contoso.com\""));
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(id(&found[0]), made);
        assert_eq!(scim.found("Users", &format!("externalId eq \"{name}\"")).len(), 1, "{name}");
    }
    let members: BTreeSet<String> = scim.members(&group).into_iter().collect();
    assert!(told.joined.lock().expect("no panic").is_subset(&members), "a member who was acknowledged is not there");
    // Whoever is there is there whole: counted, listed, found.
    let count = scim.get("/Users?count=0").json()["totalResults"].as_u64().expect("a number");
    let listed = scim.get("/Users?count=1000").json()["Resources"].as_array().expect("a list").clone();
    assert_eq!(count, listed.len() as u64);
    for user in &listed {
        let name = user["userName"].as_str().expect("a name");
        assert_eq!(scim.found("Users", &format!("userName eq \"{name}\"")).len(), 1, "{name}");
    }
}

#[test]
fn f14_while_postgresql_hangs_scim_is_put_off_in_bounded_time_and_what_needs_no_database_is_answered() {
    let postgres = PostgresServer::start();
    let world = on_postgres_with(&postgres, |setup| {
        setup.provisioned();
    });
    let scim = Scim::new(&world.server);
    let ada = scim.user("ada@contoso.com", "ada");
    postgres.freeze();
    let begun = Instant::now();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = &over;
        let looker = scope.spawn(|| {
            let mut slowest = Duration::ZERO;
            while !over.load(Ordering::SeqCst) {
                for path in ["/healthz", "/acs/.well-known/openid-configuration", "/acs/jwks"] {
                    let begun = Instant::now();
                    assert_eq!(world.server.get(path).status, 200, "{path}");
                    slowest = slowest.max(begun.elapsed());
                }
            }
            slowest
        });
        let _ends = Ends(over);
        let answers = at_once(24, |nth| match nth % 3 {
            0 => scim.get(&format!("/Users/{}", id(&ada))),
            1 => scim.post("/Users", &body(&format!("late{nth}@contoso.com"), &format!("late{nth}"))),
            _ => scim.get("/Users?filter=userName eq \"ada@contoso.com\""),
        });
        for answer in &answers {
            is_error(answer, 503, None);
            let after = answer.header("retry-after").and_then(|after| after.parse::<u32>().ok());
            assert!(after.is_some_and(|after| after > 0), "{:?}", answer.headers);
        }
        over.store(true, Ordering::SeqCst);
        let slowest = looker.join().expect("answered");
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    });
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    postgres.thaw();
    wait_until("it goes on", || scim.get(&format!("/Users/{}", id(&ada))).status == 200);
    wait_until("writes go on", || scim.post("/Users", &body("after@contoso.com", "after")).status == 201);
}

struct Two {
    one: World,
    other: Server,
    _redis: RedisServer,
    _postgres: PostgresServer,
}

impl Two {
    fn new() -> Self {
        let (redis, postgres) = (RedisServer::start(), PostgresServer::start());
        let url = postgres.fresh_database();
        let change = |setup: &mut Setup| onto(setup.provisioned(), &url);
        let one = on_redis_with(&redis, change);
        let mut setup = Setup::new(&one.idp.issuer());
        setup.edit("vestibule.toml", "embedded:", &redis.url());
        change(&mut setup);
        let other = setup.start(Arc::clone(&one.server.clock));
        Self { one, other, _redis: redis, _postgres: postgres }
    }

    /// One credential, at either server.
    fn services(&self) -> [Scim<'_>; 2] {
        let one = Scim::new(&self.one.server);
        let other = Scim { server: &self.other, token: one.token.clone(), credential: one.credential.clone() };
        [one, other]
    }
}

#[test]
fn g03_who_is_deactivated_by_scim_at_one_server_is_out_at_the_other_at_once() {
    let two = Two::new();
    let [one, other] = two.services();
    let user = one.user("alice@contoso.com", "alice-at-idp");
    two.one.idp.set(|script| script.person = person("alice"));
    let client = Client::access();
    let mut browser = two.other.browser();
    let tokens = client.sign_in(&two.other, &mut browser, &client.ask(&two.other).with("scope", OFFLINE));
    assert_eq!(tokens.sub(), id(&user));
    let ask = client.ask(&two.other);
    let code = ask.run(&mut two.other.browser()).code();
    assert_eq!(userinfo(&two.other, &tokens.access).status, 200);
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert!([200, 204].contains(&one.patch(&format!("/Users/{}", id(&user)), &off).status));
    assert_eq!(userinfo(&two.other, &tokens.access).status, 401);
    assert_eq!(client.introspect(&two.other, &tokens.access).json(), json!({ "active": false }));
    assert_eq!(client.introspect(&two.other, tokens.refresh()).json(), json!({ "active": false }));
    assert_refused(&client.refresh(&two.other, tokens.refresh()), "invalid_grant");
    assert_refused(&client.redeem(&two.other, &ask, &code), "invalid_grant");
    assert_eq!(client.ask(&two.other).with("prompt", "none").run(&mut browser).error(), "login_required");
    assert_page(&two.other.browser().open(&client.ask(&two.other).url()), 403);
    assert_eq!(other.get(&format!("/Users/{}", id(&user))).json()["active"], Value::Bool(false));
}

#[test]
fn a222_parallel_adds_at_two_servers_all_last_and_of_creates_of_one_name_one_wins() {
    let two = Two::new();
    let services = two.services();
    let users: Vec<Value> =
        (0..24).map(|n| services[n % 2].user(&format!("u{n}@contoso.com"), &format!("u{n}"))).collect();
    let group = services[0].group("Everybody", &[]);
    let path = format!("/Groups/{}", id(&group));
    let answers = at_once(users.len(), |nth| {
        let join = json!([{ "op": "add", "path": "members", "value": [{ "value": id(&users[nth]) }] }]);
        services[nth % 2].patch(&path, &join)
    });
    assert!(answers.iter().all(|answer| [200, 204].contains(&answer.status)));
    let mut all: Vec<String> = users.iter().map(|user| id(user).to_owned()).collect();
    all.sort();
    for service in &services {
        assert_eq!(service.members(id(&group)), all);
    }
    for round in 0..5 {
        let answers = at_once(8, |nth| {
            let name = format!("same{round}@contoso.com");
            services[nth % 2].post("/Users", &body(&name, &format!("other{round}-{nth}")))
        });
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
    }
}
