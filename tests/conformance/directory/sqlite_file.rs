//! The SQLite file: how it is made, and which ones are refused.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rusqlite::Connection;
use vestibule::base::{Digest, Moment};
use vestibule::directory::{Activity, Database, DirectoryFault, SqliteOptions, sqlite};
use vestibule::identity::UserId;
use vestibule::oidc::{ClientId, Scope};
use vestibule::token::family::FamilyId;

use super::home::{at, bound_family, create, family, family_id, find, login, person, trace};

fn open(path: &Path) -> Database {
    sqlite(path, SqliteOptions::default()).unwrap()
}

fn refusal(path: &Path) -> String {
    match sqlite(path, SqliteOptions::default()).err() {
        Some(DirectoryFault::Corrupt(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a256_missing_folders_and_the_file_are_made_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/deeper/vestibule.db");
    let db = open(&path);
    create(&db, person("ada")).await;
    for made in ["data", "data/deeper"] {
        assert_eq!(mode(&folder.path().join(made)), 0o700, "{made}");
    }
    for file in ["vestibule.db", "vestibule.db-wal", "vestibule.db-shm"] {
        assert_eq!(mode(&path.with_file_name(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a256_a_trace_is_not_filed_under_its_reference() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let db = open(&path);
    db.traces.keep(trace("SECRET-REFERENCE", at(1)));
    db.close().await.unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(16).any(|window| window == b"SECRET-REFERENCE"));
    assert!(open(&path).traces.trace("SECRET-REFERENCE").await.unwrap().is_some());
}

#[tokio::test]
async fn what_was_written_is_there_after_an_orderly_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let db = open(&path);
    let ada = create(&db, person("ada")).await;
    db.close().await.unwrap();
    assert!(!path.with_file_name("v.db-wal").exists(), "the log is read out");
    assert_eq!(open(&path).users.user(&ada.id).await.unwrap(), Some(ada));
}

#[tokio::test]
async fn after_the_end_everything_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(&folder.path().join("v.db"));
    db.close().await.unwrap();
    db.close().await.unwrap();
    let reading = db.users.user(&UserId("id-ada".to_owned())).await;
    assert!(matches!(reading, Err(DirectoryFault::Unavailable(_))));
    let writing = db.families.begin(family("f", "s")).await;
    assert!(matches!(writing, Err(DirectoryFault::Unavailable(_))));
    assert!(matches!(db.ping().await, Err(DirectoryFault::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_under_way_at_the_end_are_answered_truly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let db = open(&path);
    let writes: Vec<_> = (0..200)
        .map(|number| {
            let db = db.clone();
            tokio::spawn(async move { db.families.begin(family(&format!("f{number}"), "s")).await })
        })
        .collect();
    db.close().await.unwrap();
    let db = open(&path);
    for (number, write) in writes.into_iter().enumerate() {
        let there = db.families.family(&family_id(&format!("f{number}"))).await.unwrap().is_some();
        match write.await.unwrap() {
            Ok(begun) => assert!(begun && there),
            Err(fault) => assert!(!there, "{fault}"),
        }
    }
}

#[tokio::test]
async fn a_new_file_may_be_made_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let databases: Vec<Database> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&path))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    create(&databases[0], person("ada")).await;
    for db in &databases {
        assert_eq!(find(db, "userName", "ada@contoso.com").await, ["id-ada"]);
    }
    let versions: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT COUNT(*) FROM vestibule_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(versions, 1);
}

#[test]
fn a_file_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    drop(open(&path));
    Connection::open(&path).unwrap().execute("UPDATE vestibule_schema SET version = 999", []).unwrap();
    let why = refusal(&path);
    assert!(why.contains("999") && why.contains("newer"), "{why}");
    let left: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT version FROM vestibule_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 999);
}

#[test]
fn a_file_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE users (name TEXT)").unwrap();
    assert!(refusal(&path).contains("another program"));
    let tables: i64 =
        Connection::open(&path).unwrap().query_row("SELECT COUNT(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let text = "[server]\nissuer = 1\n".repeat(300);
    std::fs::write(&path, &text).unwrap();
    assert!(refusal(&path).contains("not a database"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data"), "a file").unwrap();
    let path = folder.path().join("data/v.db");
    match sqlite(&path, SqliteOptions::default()).err() {
        Some(DirectoryFault::Unavailable(why)) => assert!(why.contains("data/v.db"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_corrupt_and_its_text_is_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let db = open(&path);
    let ada = create(&db, person("ada")).await;
    let bea = create(&db, person("bea")).await;
    db.families.begin(bound_family("f", "s")).await.unwrap();
    let raw = Connection::open(&path).unwrap();
    raw.execute("UPDATE users SET attributes = '{\"canary' WHERE id = 'id-ada'", []).unwrap();
    raw.execute("UPDATE families SET body = '{\"canary\": 1}'", []).unwrap();
    let faults = [
        db.users.user(&ada.id).await.unwrap_err(),
        db.users.standing(&ada.id, None, &[]).await.unwrap_err(),
        db.users.provision(login("id", "x-ada", serde_json::json!({})), at(2)).await.unwrap_err(),
        db.families.family(&family_id("f")).await.unwrap_err(),
    ];
    for fault in faults {
        assert!(matches!(&fault, DirectoryFault::Corrupt(why) if !why.contains("canary")), "{fault}");
    }
    assert_eq!(db.users.user(&bea.id).await.unwrap(), Some(bea));
    db.ping().await.unwrap();
}

#[tokio::test]
async fn a_family_that_cannot_be_read_holds_up_nobody_who_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let db = open(&path);
    let ada = create(&db, person("ada")).await;
    for name in ["sound", "broken"] {
        db.families.begin(family(name, "s")).await.unwrap();
    }
    let broken = family_id("broken").0.base64url();
    Connection::open(&path).unwrap().execute("UPDATE families SET body = '{\"client' WHERE id = $1", [broken]).unwrap();
    db.users.set_active(&ada.id, Activity::Inactive, at(50)).await.unwrap();
    let leaving = db.notices.claim_leavings(9, at(50), at(60)).await.unwrap().remove(0);
    assert_eq!(leaving.clients, [ClientId("rp".to_owned())]);
}

/// Rows as version 1 wrote them. They must be read for ever; this text never changes.
#[tokio::test]
async fn rows_of_version_1_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let db = open(&path);
    let zeros = format!("[{}]", ["0"; 32].join(","));
    let id = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let body = format!(
        r#"{{"id":{zeros},"generation":1,"client":"rp","user":"u1","directory":"contoso","idp":"entra","sid":"s1",
        "bound_to_session":true,"scopes":["openid","offline_access"],"auth_time":900000,"acr":null,"amr":["pwd"],
        "created":1000000,"ends":9000000,"idle_ends":5000000,"current":{zeros},"current_access":{zeros},
        "previous":null,"rotated_at":null,"repeats":2,"revoked_at":null}}"#
    );
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(&format!(
        r#"INSERT INTO users (id, directory, active, sessions_valid_from, attributes, email_verified, former_names, updated_at)
        VALUES ('u1', 'contoso', 1, 1000, '{{"userName":"Ada","emails":[{{"value":"a@b"}}]}}', 1, '["eda"]', 2000);
        INSERT INTO user_values VALUES ('contoso', 'userName', 'ada', '', 'u1'), ('contoso', 'emails', 'a@b', 'u1', 'u1');
        INSERT INTO families VALUES ('{id}', 7, 'u1', 's1', 1, 9000000, 3000, '{body}');
        INSERT INTO sign_outs VALUES ('s1', 3000, 8000);
        INSERT INTO signing_keys VALUES ('k1', 'ES256', 'AP8', 1000, 2000, NULL);"#
    ))
    .unwrap();
    let user = db.users.find("contoso", "emails", "A@B").await.unwrap().remove(0);
    assert_eq!((user.user_name(), user.email_verified, user.active), (Some("Ada"), true, true));
    assert_eq!(user.former_names, ["eda"]);
    let family = db.families.family(&FamilyId(Digest::from_bytes([0; 32]))).await.unwrap().unwrap();
    assert_eq!((family.generation, family.revoked_at, family.repeats), (7, Some(Moment::from_ms(3_000)), 2));
    assert_eq!(family.scopes, [Scope::Openid, Scope::OfflineAccess]);
    let standing = db.users.standing(&user.id, Some("s1"), &[&family.id]).await.unwrap().unwrap();
    assert!(standing.signed_out && standing.family_revoked);
    let key = db.keys.keys().await.unwrap().remove(0);
    assert_eq!((key.kid.as_str(), key.sealed.as_slice(), key.retired_at), ("k1", [0, 255].as_slice(), None));
}
