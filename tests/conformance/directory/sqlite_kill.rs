//! What SQLite keeps when the process is killed, or the disk fails under it. The process is this
//! test binary again, running one of the ignored tests below.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::json;
use vestibule::base::Digest;
use vestibule::directory::{Activity, Database, Notice, Provisioned, SqliteOptions, sqlite};
use vestibule::identity::UserId;
use vestibule::token::family::Family;

use super::home::{at, bound_family, claim, family_id, login, notice, turned};

pub const FILE: &str = "VESTIBULE_TEST_FILE";
pub const ROUND: &str = "VESTIBULE_TEST_ROUND";
/// Those who hear of a sign-out.
const CLIENTS: [&str; 3] = ["rp", "other", "third"];
const WRITER: &str = "directory::sqlite_kill::the_process_that_writes_until_it_ends";
const DELIVERER: &str = "directory::sqlite_kill::the_process_that_delivers_until_it_ends";

pub fn command(program: &mut Command, test: &str, path: &Path, round: usize) -> Command {
    let mut command = std::mem::replace(program, Command::new("true"));
    command
        .args([test, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

pub fn open(path: &Path) -> Database {
    sqlite(path, SqliteOptions::default()).unwrap()
}

pub fn say(what: &str, done: bool) {
    println!("{} {what}", if done { "done" } else { "failed" });
}

/// The notices of a sign-out; their ids say whose.
fn notices(name: &str) -> Vec<Notice> {
    CLIENTS.iter().map(|client| notice(&format!("{name} {client}"), client, Some(name))).collect()
}

/// One task's endless work: a user, its family, turns of it, its sign-out, the delivery of one of its notices, its end.
/// Says what was acknowledged.
async fn write_on(db: Database, name: String) {
    for number in 0..20 {
        let name = format!("{name}-{number}");
        let user = login(&format!("id-{name}"), &format!("x-{name}"), json!({ "userName": name, "title": "t" }));
        let user = db.users.provision(user, at(1_000)).await;
        say(&format!("user {name}"), matches!(user, Ok(Provisioned::Created(_))));
        let mut family = Family { sid: name.clone(), ..bound_family(&name, &name) };
        say(&format!("family {name} 1"), db.families.begin(family.clone()).await.is_ok_and(|begun| begun));
        for _ in 0..3 {
            family = turned(&family, &format!("{name} {}", family.generation));
            let turned = db.families.turn(family.generation - 1, family.clone()).await;
            say(&format!("family {name} {}", family.generation), turned.is_ok_and(|turned| turned));
        }
        let ended = db.sign_outs.sign_out(&name, at(2_000), at(9_000), notices(&name)).await;
        say(&format!("end {name}"), ended.is_ok());
        let off = db.users.set_active(&UserId(format!("id-{name}")), Activity::Inactive, at(3_000)).await;
        say(&format!("off {name}"), off.is_ok_and(|known| known));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the tests below, in a process of its own"]
async fn the_process_that_writes_until_it_ends() {
    let (Some(path), Some(round)) = (std::env::var_os(FILE), std::env::var_os(ROUND)) else { return };
    let db = open(Path::new(&path));
    println!(); // ends the line that the test runner began
    let writers: Vec<_> =
        (0..4).map(|task| tokio::spawn(write_on(db.clone(), format!("r{}t{task}", round.to_string_lossy())))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn is_there(db: &Database, acknowledged: &str) {
    let words: Vec<&str> = acknowledged.split(' ').collect();
    let name = words[1];
    let found = db.users.find("contoso", "externalId", &format!("x-{name}")).await.unwrap();
    let user = found.first().expect(acknowledged);
    let family = db.families.family(&family_id(name)).await.unwrap();
    match words[0] {
        "user" => assert_eq!(user.user_name(), Some(name), "{acknowledged}"),
        "family" => {
            let (family, generation) = (family.expect(acknowledged), words[2].parse::<u64>().unwrap());
            assert!(family.generation >= generation, "{acknowledged}: {}", family.generation);
            if family.generation > 1 {
                assert_eq!(family.current, Digest::of(format!("{name} {}", family.generation - 1)), "{acknowledged}");
            }
        }
        "off" => assert!(!user.active, "{acknowledged}"),
        _ => {
            let standing = db.users.standing(&user.id, Some(name), &[]).await.unwrap().unwrap();
            assert!(standing.signed_out && family.expect(acknowledged).revoked_at.is_some(), "{acknowledged}");
        }
    }
}

/// What is in one transaction is there as a whole or not at all.
fn nothing_is_half_written(path: &Path) {
    let raw = Connection::open(path).unwrap();
    let count = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let verdict: String = raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let half = "SELECT COUNT(*) FROM users u WHERE 2 <> (SELECT COUNT(*) FROM user_values v WHERE v.user_id = u.id)";
    assert_eq!(count(half), 0);
    let alive = "SELECT COUNT(*) FROM families f JOIN sign_outs s ON s.sid = f.sid WHERE f.revoked_at IS NULL";
    assert_eq!(count(alive), 0);
    // A session that was signed out has exactly its notices, and no other session has any.
    let untold = "SELECT COUNT(*) FROM sign_outs s WHERE 3 <> (SELECT COUNT(*) FROM notices n \
                  WHERE n.sid = s.sid AND n.id = s.sid || ' ' || n.client)";
    assert_eq!(count(untold), 0);
    assert_eq!(count("SELECT COUNT(*) FROM notices WHERE sid NOT IN (SELECT sid FROM sign_outs)"), 0);
    // Who is off leaves, and nobody else does.
    let stayed = "SELECT COUNT(*) FROM users u WHERE u.active <> 1 - (SELECT COUNT(*) FROM leavings l \
                  WHERE l.user_id = u.id)";
    assert_eq!(count(stayed), 0);
}

/// There was something to look at.
fn somebody_left(path: &Path) {
    let raw = Connection::open(path).unwrap();
    let count = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert!(count("SELECT COUNT(*) FROM notices") > 0 && count("SELECT COUNT(*) FROM leavings") > 0);
}

/// Lets the process go on until it has acknowledged some number of writes, and gives all that it said.
pub fn run_and_kill(command: &mut Command, round: usize) -> String {
    let mut process = command.spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let until = RandomState::new().hash_one(round) % 150;
    let mut seen = 0;
    let mut text = String::new();
    while seen <= until && output.read_line(&mut text).unwrap() > 0 {
        seen = text.lines().filter(|line| line.starts_with("done ")).count() as u64;
    }
    process.kill().unwrap();
    process.wait().unwrap();
    output.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_every_acknowledged_write_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let exe = std::env::current_exe().unwrap();
    let mut all = Vec::new();
    for round in 0..30 {
        let text = run_and_kill(&mut command(&mut Command::new(&exe), WRITER, &path, round), round);
        assert!(!text.lines().any(|line| line.starts_with("failed ")), "{text}");
        let acknowledged: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("done ")).map(str::to_owned).collect();
        assert!(!acknowledged.is_empty());
        let db = open(&path);
        for line in &acknowledged {
            is_there(&db, line).await;
        }
        nothing_is_half_written(&path);
        all.extend(acknowledged);
    }
    let db = open(&path);
    for line in &all {
        is_there(&db, line).await;
    }
    nothing_is_half_written(&path);
    somebody_left(&path);
}

/// Queues, hands out and settles without end, and says what it is about to settle and what was acknowledged.
async fn deliver_on(db: Database, task: String) {
    for number in 0..1_000 {
        let batch: Vec<Notice> =
            (0..3).map(|n| notice(&format!("{task}-{number}-{n}"), &task, Some(&format!("s{number}-{n}")))).collect();
        let ids: Vec<String> = batch.iter().map(|notice| notice.id.clone()).collect();
        db.notices.queue(batch).await.unwrap();
        say(&format!("queue {}", ids.join(" ")), true);
        let first = claim(&db, &task, at(100)).await;
        println!("try {}", first[..2].join(" "));
        db.notices.settle(first[..2].to_vec(), vec![(first[2].clone(), at(100_000))]).await.unwrap();
        say(&format!("settle {}", first[..2].join(" ")), true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test below, in a process of its own"]
async fn the_process_that_delivers_until_it_ends() {
    let (Some(path), Some(round)) = (std::env::var_os(FILE), std::env::var_os(ROUND)) else { return };
    let db = open(Path::new(&path));
    println!();
    let tasks: Vec<_> = (0..4)
        .map(|task| tokio::spawn(deliver_on(db.clone(), format!("r{}t{task}", round.to_string_lossy()))))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

fn ids<'a>(text: &'a str, what: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.strip_prefix(what)).flat_map(|ids| ids.split(' '))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_a_kill_loses_no_notice_and_revives_none_that_was_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let exe = std::env::current_exe().unwrap();
    let mut all = String::new();
    for round in 0..15 {
        let text = run_and_kill(&mut command(&mut Command::new(&exe), DELIVERER, &path, round), round);
        all.push_str(&text);
    }
    drop(open(&path));
    let raw = Connection::open(&path).unwrap();
    let mut statement = raw.prepare("SELECT id, attempts, next_at FROM notices").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    let left: BTreeMap<String, (u32, i64)> = rows.collect::<Result<_, _>>().unwrap();
    let tried: BTreeSet<&str> = ids(&all, "try ").collect();
    assert!(ids(&all, "done queue ").filter(|id| !tried.contains(id)).all(|id| left.contains_key(id)));
    assert!(ids(&all, "done settle ").count() > 0);
    assert!(ids(&all, "done settle ").all(|id| !left.contains_key(id)));
    // What is settled together is settled whole: the third of a batch is put off if and only if the others are gone.
    for batch in all.lines().filter_map(|line| line.strip_prefix("done queue ")) {
        let here: Vec<&(u32, i64)> = batch.split(' ').filter_map(|id| left.get(id)).collect();
        let put_off = here.iter().filter(|(_, next)| *next == 100_000_000).count();
        let handed_out = here.iter().filter(|(attempts, _)| *attempts == 1).count();
        assert!(matches!((here.len(), handed_out, put_off), (3, 0 | 3, 0) | (1, 1, 1)), "{batch}: {here:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_a_write_that_did_not_reach_the_disk_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    open(&path).close().await.unwrap();
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
    traced.args(["-e", "inject=fsync,fdatasync:error=EIO:when=20+"]).arg(std::env::current_exe().unwrap());
    let Ok(output) = command(&mut traced, WRITER, &path, 0).spawn().and_then(|process| process.wait_with_output())
    else {
        eprintln!("skipped: there is no strace here");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    if !text.contains("done user") {
        eprintln!("skipped: strace may not trace here");
        return;
    }
    let db = open(&path);
    for line in text.lines().filter_map(|line| line.strip_prefix("done ")) {
        is_there(&db, line).await;
    }
    let answers: Vec<bool> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(word, _)| match word {
            "done" => Some(true),
            "failed" => Some(false),
            _ => None,
        })
        .collect();
    assert_eq!(answers.len(), 4 * 20 * 7);
    let failed = answers.iter().filter(|done| !**done).count();
    assert!(failed > answers.len() / 2, "{failed}: once the disk fails, nothing is acknowledged any more");
    assert!(!answers.iter().rev().take(100).any(|done| *done));
}
