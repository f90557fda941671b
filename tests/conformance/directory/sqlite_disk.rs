//! SQLite on a disk that is full, or may not be written. These need root, to mount and to forbid.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use vestibule::base::Span;
use vestibule::directory::{Database, DirectoryFault, JitUser, Provisioned, SqliteOptions, sqlite};

use super::home::{at, create, find, login, person, trace};

/// A small file system of its own, gone when dropped.
struct Disk(TempDir);

impl Disk {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(folder.path())) {
            return Some(Self(folder));
        }
        eprintln!("skipped: no file system can be mounted here");
        None
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("v.db")
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut filler = File::create(self.0.path().join("filler")).unwrap();
        for size in [65_536, 4_096, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.0.path().join("filler")).unwrap();
    }

    fn remount(&self, how: &str) -> bool {
        run(Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(self.0.path()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run(Command::new("umount").arg("--lazy").arg(self.0.path()));
    }
}

fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn open(path: &Path) -> Result<Database, DirectoryFault> {
    sqlite(path, SqliteOptions { wait: Span::from_ms(500), ..SqliteOptions::default() })
}

fn fat(name: &str) -> JitUser {
    login(&format!("id-{name}"), &format!("x-{name}"), json!({ "userName": name, "photo": "p".repeat(20_000) }))
}

fn is_sound(path: &Path) {
    let raw = Connection::open(path).unwrap();
    let verdict: String = raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let halves: i64 = raw
        .query_row(
            "SELECT COUNT(*) FROM users u WHERE 2 > (SELECT COUNT(*) FROM user_values v WHERE v.user_id = u.id)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(halves, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_on_a_full_disk_nothing_is_half_written_and_it_heals() {
    let Some(disk) = Disk::new() else { return };
    let db = open(&disk.path()).unwrap();
    let ada = create(&db, person("ada")).await;
    disk.fill();

    let mut written = Vec::new();
    let refused = loop {
        let name = format!("fat-{}", written.len());
        match db.users.provision(fat(&name), at(2)).await {
            Ok(Provisioned::Created(user)) => written.push(user),
            Err(DirectoryFault::Unavailable(_)) => break name,
            other => panic!("{other:?}"),
        }
        assert!(written.len() < 1_000, "the disk is never full");
    };
    assert!(find(&db, "userName", &refused).await.is_empty());
    assert_eq!(db.users.user(&ada.id).await.unwrap(), Some(ada.clone()), "reads go on");
    db.traces.keep(trace("r", at(1)));
    for number in 0..5 {
        let again = db.users.provision(fat(&format!("more-{number}")), at(2)).await;
        assert!(matches!(again, Err(DirectoryFault::Unavailable(_))), "{again:?}");
    }

    disk.make_room();
    written.push(create(&db, fat(&refused)).await);
    written.push(ada);
    db.close().await.unwrap();
    is_sound(&disk.path());
    let db = open(&disk.path()).unwrap();
    for user in written {
        assert_eq!(db.users.user(&user.id).await.unwrap(), Some(user));
    }
    assert!(db.traces.trace("r").await.unwrap().is_some());
    assert!(find(&db, "userName", "more-0").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_file_system_is_refused_at_the_start_and_taken_when_it_is_not() {
    let Some(disk) = Disk::new() else { return };
    let db = open(&disk.path()).unwrap();
    let ada = create(&db, person("ada")).await;
    db.close().await.unwrap();
    drop(db);
    assert!(disk.remount("ro"));
    assert!(matches!(open(&disk.path()), Err(DirectoryFault::Unavailable(_))));
    assert!(disk.remount("rw"));
    assert_eq!(open(&disk.path()).unwrap().users.user(&ada.id).await.unwrap(), Some(ada));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_files_that_may_no_longer_be_written_make_writes_unavailable_until_they_may() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let db = open(&path).unwrap();
    let ada = create(&db, person("ada")).await;
    let files = [path.clone(), path.with_file_name("v.db-wal")];
    let forbid = |flag: &str| run(Command::new("chattr").arg(flag).args(&files));
    let forbidden = forbid("+i");
    let writable = File::options().append(true).open(&files[1]).is_ok();
    if !forbidden || writable {
        forbid("-i");
        eprintln!("skipped: no file can be made immutable here");
        return;
    }
    let attempts = [
        db.users.provision(person("bea"), at(2)).await,
        db.users.provision(person("cleo"), at(2)).await,
        db.users.provision(person("dora"), at(2)).await,
    ];
    let ping = db.ping().await;
    let reading = db.users.user(&ada.id).await;
    assert!(forbid("-i"));

    for attempt in attempts {
        assert!(matches!(attempt, Err(DirectoryFault::Unavailable(_))), "{attempt:?}");
    }
    assert!(matches!(ping, Err(DirectoryFault::Unavailable(_))), "{ping:?}");
    assert_eq!(reading.unwrap(), Some(ada));
    for name in ["bea", "cleo", "dora"] {
        assert!(find(&db, "externalId", &format!("x-{name}")).await.is_empty());
    }
    create(&db, person("bea")).await;
    db.close().await.unwrap();
    is_sound(&path);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_a_file_that_vanished_is_not_replaced_by_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let db = open(&path).unwrap();
    create(&db, person("ada")).await;
    for file in fs::read_dir(folder.path()).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    let write = db.users.provision(person("bea"), at(2)).await;
    assert!(matches!(write, Err(DirectoryFault::Unavailable(_))), "{write:?}");
    assert!(matches!(db.ping().await, Err(DirectoryFault::Unavailable(_))));
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_a_file_put_in_the_place_of_another_is_noticed_at_the_next_write() {
    let folder = tempfile::tempdir().unwrap();
    let (path, spare) = (folder.path().join("v.db"), folder.path().join("spare.db"));
    let other = open(&spare).unwrap();
    let bea = create(&other, person("bea")).await;
    other.close().await.unwrap();
    let db = open(&path).unwrap();
    create(&db, person("ada")).await;
    assert_eq!(find(&db, "externalId", "x-ada").await, ["id-ada"]);
    for log in ["v.db-wal", "v.db-shm"] {
        fs::remove_file(path.with_file_name(log)).unwrap();
    }
    fs::rename(&spare, &path).unwrap();
    create(&db, person("cleo")).await;
    assert_eq!(db.users.user(&bea.id).await.unwrap(), Some(bea));
    assert!(find(&db, "externalId", "x-ada").await.is_empty());
    db.close().await.unwrap();
    assert_eq!(find(&open(&path).unwrap(), "externalId", "x-cleo").await, ["id-cleo"]);
}
