//! What SQLite keeps of users as SCIM writes them when the process is killed, in the manner of `sqlite_kill`.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::json;
use vestibule::directory::Database;
use vestibule::directory::roster::{Deletion, Written};
use vestibule::identity::UserId;

use super::home::{DIRECTORY, act, provisioned, with};
use super::sqlite_kill::{FILE, ROUND, command, open, run_and_kill, say};

const WRITER: &str = "directory::sqlite_kill_users::the_process_that_provisions_until_it_ends";

/// One task's endless work: a user is made and changed, every third one deleted. Says what was acknowledged.
async fn provision_on(db: Database, task: String) {
    for number in 0..200 {
        let name = format!("{task}-{number}");
        let user = match db.roster.create(provisioned(&name), act("create", 1_000)).await {
            Ok(Written::Done(user)) => user,
            other => panic!("{other:?}"),
        };
        say(&format!("made {name}"), true);
        let id = user.user.id.clone();
        let next = with(user, "title", json!(name));
        let changed = db.roster.replace(next, act("update", 2_000)).await;
        say(&format!("changed {name}"), matches!(changed, Ok(Written::Done(_))));
        if number % 3 == 0 {
            println!("try {name}");
            let gone = db.roster.delete(DIRECTORY, &id, Some(2), Deletion::BySource, act("delete", 3_000)).await;
            say(&format!("deleted {name}"), matches!(gone, Ok(Written::Done(true))));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test below, in a process of its own"]
async fn the_process_that_provisions_until_it_ends() {
    let (Some(path), Some(round)) = (std::env::var_os(FILE), std::env::var_os(ROUND)) else { return };
    let db = open(Path::new(&path));
    println!();
    let tasks: Vec<_> = (0..4)
        .map(|task| tokio::spawn(provision_on(db.clone(), format!("r{}t{task}", round.to_string_lossy()))))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// What was acknowledged is there, unless its deletion was begun.
async fn is_there(db: &Database, text: &str, acknowledged: &str) {
    let (what, name) = acknowledged.split_once(' ').unwrap();
    let user = db.roster.user(DIRECTORY, &UserId(format!("id-{name}"))).await.unwrap();
    match (what, user) {
        ("deleted", user) => assert_eq!(user, None, "{acknowledged}"),
        (_, None) => assert!(text.lines().any(|line| line == format!("try {name}")), "{acknowledged}"),
        ("changed", Some(user)) => assert_eq!(user.user.text("title"), Some(name), "{acknowledged}"),
        _ => {}
    }
}

/// What is in one transaction is there as a whole or not at all.
fn nothing_is_half_written(path: &Path) {
    let raw = Connection::open(path).unwrap();
    let count = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let half = "SELECT COUNT(*) FROM users u WHERE 4 <> (SELECT COUNT(*) FROM user_values v WHERE v.user_id = u.id)";
    assert_eq!(count(half), 0);
    assert_eq!(count("SELECT COUNT(*) FROM user_values WHERE user_id NOT IN (SELECT id FROM users)"), 0);
    let unaudited = "SELECT COUNT(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM audit a \
                     WHERE a.directory = u.directory AND a.seq = u.changed AND a.object = u.id)";
    assert_eq!(count(unaudited), 0);
    assert_eq!(count("SELECT users - (SELECT COUNT(*) FROM users) FROM tallies"), 0);
    assert_eq!(count("SELECT seq - (SELECT COUNT(*) FROM audit) FROM tallies"), 0);
    let deletions = "SELECT COUNT(*) FROM audit WHERE what = 'delete'";
    assert_eq!(count(deletions), count("SELECT COUNT(*) FROM gone"));
    assert_eq!(count(deletions), count("SELECT COUNT(*) FROM leavings"));
    assert_eq!(count(deletions), count("SELECT deletions FROM tallies"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_of_a_user_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let exe = std::env::current_exe().unwrap();
    let mut all = String::new();
    for round in 0..20 {
        let text = run_and_kill(&mut command(&mut Command::new(&exe), WRITER, &path, round), round);
        assert!(!text.lines().any(|line| line.starts_with("failed ")), "{text}");
        all.push_str(&text);
        let db = open(&path);
        for line in text.lines().filter_map(|line| line.strip_prefix("done ")) {
            is_there(&db, &all, line).await;
        }
        nothing_is_half_written(&path);
    }
    let db = open(&path);
    let acknowledged: Vec<&str> = all.lines().filter_map(|line| line.strip_prefix("done ")).collect();
    assert!(acknowledged.iter().any(|line| line.starts_with("deleted ")));
    for line in acknowledged {
        is_there(&db, &all, line).await;
    }
}
