//! The server is killed at random moments under a load of SCIM writes: F17. `KILLS=200` kills it so often.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use serde_json::{Value, json};
use vestibule::base::{Clock as _, Digest, Span};
use vestibule::directory::roster::{SyncClient, SyncKind};
use vestibule::directory::{SqliteOptions, sqlite};

use super::restart::Process;
use crate::support::clock::ManualClock;
use crate::support::http::{Request, Response};
use crate::support::invariants;
use crate::support::server::{block_on, wait_until};

const WRITERS: usize = 4;
const GROUPS: usize = 3;

/// What a writer asked for last and got no answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    Title(u64),
    Join,
    Quit,
    Delete,
}

/// A user as the server acknowledged it.
#[derive(Debug)]
struct Known {
    id: String,
    title: u64,
    group: String,
    is_member: bool,
    is_deleted: bool,
    doubt: Option<Doubt>,
}

/// A provisioning service.
struct Service {
    base: String,
    address: SocketAddr,
    token: String,
}

impl Service {
    fn send(&self, method: &str, path: &str, body: &Value) -> std::io::Result<Response> {
        let request = Request::new(method, &format!("{}/usergroup/scim/v2{path}", self.base));
        let request = request.header("Authorization", &format!("Bearer {}", self.token));
        request.header("Content-Type", "application/scim+json").body(body.to_string()).try_send(self.address)
    }

    /// What was acknowledged; `None`: no answer came, or only a piece of one.
    fn write(&self, method: &str, path: &str, body: &Value) -> Option<Response> {
        let answer = self.send(method, path, body).ok()?;
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        Some(answer)
    }

    fn patch(&self, path: &str, operation: Value) -> Option<Response> {
        self.write("PATCH", path, &json!({ "Operations": [operation] }))
    }

    fn group(&self, number: usize) -> String {
        let made = self.write("POST", "/Groups", &json!({ "displayName": format!("Group {number}") }));
        made.expect("nobody kills it yet").json()["id"].as_str().expect("an id").to_owned()
    }
}

/// One writer's endless work; ends when the server is gone.
fn write_on(service: &Service, name: &str, groups: &[String], acknowledged: &AtomicU64) -> Vec<Known> {
    let mut all = Vec::new();
    for number in 0_usize.. {
        let name = format!("{name}-{number}");
        let body = json!({
            "userName": format!("{name}@contoso.com"), "externalId": name, "displayName": name, "title": "0",
            "emails": [{ "value": format!("{name}@contoso.com"), "type": "work", "primary": true }],
        });
        let Some(made) = service.write("POST", "/Users", &body) else { return all };
        acknowledged.fetch_add(1, Ordering::SeqCst);
        let id = made.json()["id"].as_str().expect("an id").to_owned();
        let group = groups[number % groups.len()].clone();
        let mut known = Known { id, title: 0, group, is_member: false, is_deleted: false, doubt: None };
        let steps: &[Doubt] = match number % 4 {
            0 => &[Doubt::Join, Doubt::Title(1), Doubt::Delete],
            1 => &[Doubt::Join, Doubt::Title(1), Doubt::Quit, Doubt::Title(2)],
            _ => &[Doubt::Join, Doubt::Title(1), Doubt::Title(2)],
        };
        for step in steps {
            if !carry_out(service, &mut known, *step) {
                known.doubt = Some(*step);
                all.push(known);
                return all;
            }
            acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        all.push(known);
    }
    all
}

fn carry_out(service: &Service, known: &mut Known, step: Doubt) -> bool {
    let (user, group) = (format!("/Users/{}", known.id), format!("/Groups/{}", known.group));
    let answer = match step {
        Doubt::Title(title) => {
            service.patch(&user, json!({ "op": "replace", "path": "title", "value": title.to_string() }))
        }
        Doubt::Join => {
            service.patch(&group, json!({ "op": "add", "path": "members", "value": [{ "value": known.id }] }))
        }
        Doubt::Quit => {
            service.patch(&group, json!({ "op": "remove", "path": format!("members[value eq \"{}\"]", known.id) }))
        }
        Doubt::Delete => service.write("DELETE", &user, &json!({})),
    };
    if answer.is_none() {
        return false;
    }
    match step {
        Doubt::Title(title) => known.title = title,
        Doubt::Join => known.is_member = true,
        Doubt::Quit => known.is_member = false,
        Doubt::Delete => (known.is_deleted, known.is_member) = (true, false),
    }
    true
}

fn is_there(db: &Connection, known: &Known) {
    let query = "SELECT attributes FROM users WHERE id = ?1";
    let row: Option<String> = db.query_row(query, [&known.id], |row| row.get(0)).optional().expect("it reads");
    if known.is_deleted || (known.doubt == Some(Doubt::Delete) && row.is_none()) {
        assert_eq!(row, None, "{known:?}");
        let gone = "SELECT COUNT(*) FROM gone WHERE kind = 0 AND id = ?1";
        assert_eq!(db.query_row(gone, [&known.id], |row| row.get::<_, i64>(0)), Ok(1), "{known:?}");
        return;
    }
    let attributes: Value = serde_json::from_str(&row.unwrap_or_else(|| panic!("lost: {known:?}"))).expect("JSON");
    let title: u64 = attributes["title"].as_str().and_then(|title| title.parse().ok()).expect("a title");
    assert!(title == known.title || known.doubt == Some(Doubt::Title(title)), "{known:?}: {title}");
    let member = "SELECT COUNT(*) FROM memberships WHERE group_id = ?1 AND member_id = ?2";
    let count: i64 = db.query_row(member, params![known.group, known.id], |row| row.get(0)).expect("it reads");
    let in_doubt = matches!(known.doubt, Some(Doubt::Join | Doubt::Quit));
    assert!(in_doubt || (count == 1) == known.is_member, "{known:?}: {count}");
}

/// What is one transaction is there as a whole or not at all.
fn nothing_is_half_written(db: &Connection) {
    let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it reads");
    assert_eq!(verdict, "ok");
    let none = [
        // Each version of a user has its record. A group's grows without one of its own when a member is deleted.
        "SELECT COUNT(*) FROM users u WHERE u.version <> (SELECT COUNT(*) FROM audit a WHERE a.object = u.id)",
        "SELECT COUNT(*) FROM user_groups g WHERE g.version < (SELECT COUNT(*) FROM audit a WHERE a.object = g.id)",
    ];
    for query in none {
        let count: i64 = db.query_row(query, [], |row| row.get(0)).expect("it reads");
        assert_eq!(count, 0, "{query}");
    }
    invariants::hold(&invariants::of_sqlite(db));
}

fn look(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("the database")
}

/// A credential, as `sync-client create` makes one.
fn credential(path: &Path) -> String {
    let (token, now) = (format!("vsc_{}", Digest::of("a token").base64url()), ManualClock::at_this_moment().now());
    let client = SyncClient {
        id: "scim-kill".to_owned(),
        directory: "contoso".to_owned(),
        scope: "contoso".to_owned(),
        name: "kill".to_owned(),
        kind: SyncKind::Token,
        secret: Digest::of(&token),
        created: now,
        expires: now.plus(Span::days(1)),
        last_used: None,
    };
    let db = sqlite(path, SqliteOptions::default()).expect("the database");
    assert!(block_on(db.sync_clients.create(client, 2)).expect("it writes"));
    block_on(db.close()).expect("it closes");
    token
}

#[test]
fn f17_every_acknowledged_scim_write_outlives_a_kill_and_none_is_half_done() {
    let kills: usize = std::env::var_os("KILLS").and_then(|kills| kills.to_str()?.parse().ok()).unwrap_or(25);
    let attributes = r#"attributes = ["userName", "externalId", "emails", "displayName", "active", "title"]"#;
    let mut process = Process::with(|setup| {
        setup.provisioned().keys("directories/contoso.toml", attributes);
    });
    let token = credential(&process.database());
    let service = Service { base: process.base.clone(), address: process.address(), token };
    let groups: Vec<String> = (0..GROUPS).map(|number| service.group(number)).collect();
    let mut all: BTreeMap<String, Known> = BTreeMap::new();
    let (mut writes, mut in_doubt) = (0, 0);
    for round in 0..kills {
        let acknowledged = AtomicU64::new(0);
        let until = 1 + RandomState::new().hash_one(round) % 120;
        let known: Vec<Known> = std::thread::scope(|scope| {
            let write = |writer: usize| {
                let (service, groups, acknowledged) = (&service, &groups, &acknowledged);
                scope.spawn(move || write_on(service, &format!("r{round}w{writer}"), groups, acknowledged))
            };
            let writers: Vec<_> = (0..WRITERS).map(write).collect();
            wait_until("so much is acknowledged", || acknowledged.load(Ordering::SeqCst) >= until);
            process.kill();
            writers.into_iter().flat_map(|writer| writer.join().expect("no refusal")).collect()
        });
        writes += acknowledged.into_inner();
        in_doubt += known.iter().filter(|known| known.doubt.is_some()).count();
        let db = look(&process.database());
        for known in &known {
            is_there(&db, known);
        }
        nothing_is_half_written(&db);
        drop(db);
        all.extend(known.into_iter().map(|known| (known.id.clone(), known)));
        process.start_again();
    }
    assert!(writes > kills as u64, "{writes}");
    println!("{kills} kills, {writes} acknowledged writes, {in_doubt} without an answer, {} users", all.len());
    let db = look(&process.database());
    for known in all.values() {
        is_there(&db, known);
    }
    nothing_is_half_written(&db);
}
