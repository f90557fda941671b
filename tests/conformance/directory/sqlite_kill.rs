//! What SQLite keeps when the process is killed, or the disk fails under it. The process is this
//! test binary again, running the one ignored test below.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::json;
use vestibule::base::Digest;
use vestibule::directory::{Database, Provisioned, SqliteOptions, sqlite};
use vestibule::token::family::Family;

use super::home::{at, bound_family, family_id, login, turned};

const FILE: &str = "VESTIBULE_TEST_FILE";
const ROUND: &str = "VESTIBULE_TEST_ROUND";
const WRITER: &str = "directory::sqlite_kill::the_process_that_writes_until_it_ends";

fn command(program: &mut Command, path: &Path, round: usize) -> Command {
    let mut command = std::mem::replace(program, Command::new("true"));
    command
        .args([WRITER, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

fn open(path: &Path) -> Database {
    sqlite(path, SqliteOptions::default()).unwrap()
}

fn say(what: &str, done: bool) {
    println!("{} {what}", if done { "done" } else { "failed" });
}

/// One task's endless work: a user, its family, turns of it, its sign-out. Says what was acknowledged.
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
        say(&format!("end {name}"), db.sign_outs.sign_out(&name, at(2_000), at(9_000), Vec::new()).await.is_ok());
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
        _ => {
            let standing = db.users.standing(&user.id, Some(name), None).await.unwrap().unwrap();
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
    let half = "SELECT COUNT(*) FROM users u WHERE 3 <> (SELECT COUNT(*) FROM user_values v WHERE v.user_id = u.id)";
    assert_eq!(count(half), 0);
    let alive = "SELECT COUNT(*) FROM families f JOIN sign_outs s ON s.sid = f.sid WHERE f.revoked_at IS NULL";
    assert_eq!(count(alive), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_every_acknowledged_write_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let exe = std::env::current_exe().unwrap();
    let mut all = Vec::new();
    for round in 0..30 {
        let mut process = command(&mut Command::new(&exe), &path, round).spawn().unwrap();
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
        assert!(!text.lines().any(|line| line.starts_with("failed ")), "{text}");
        let acknowledged: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("done ")).map(str::to_owned).collect();
        assert!(!acknowledged.is_empty());
        let db = open(&path);
        for line in &acknowledged {
            is_there(&db, line).await;
        }
        all.extend(acknowledged);
    }
    let db = open(&path);
    for line in &all {
        is_there(&db, line).await;
    }
    nothing_is_half_written(&path);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_a_write_that_did_not_reach_the_disk_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    open(&path).close().await.unwrap();
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
    traced.args(["-e", "inject=fsync,fdatasync:error=EIO:when=20+"]).arg(std::env::current_exe().unwrap());
    let Ok(output) = command(&mut traced, &path, 0).spawn().and_then(|process| process.wait_with_output()) else {
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
    assert_eq!(answers.len(), 4 * 20 * 6);
    let failed = answers.iter().filter(|done| !**done).count();
    assert!(failed > answers.len() / 2, "{failed}: once the disk fails, nothing is acknowledged any more");
    assert!(!answers.iter().rev().take(100).any(|done| *done));
}
