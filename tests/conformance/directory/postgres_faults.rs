//! What only PostgreSQL can meet: a server that is gone, hangs, or is somebody else's.

use std::time::{Duration, Instant};

use vestibule::base::{Digest, Secret, Span};
use vestibule::directory::{Database, DirectoryFault, PostgresOptions, postgres};
use vestibule::identity::UserId;

use super::home::{at, create, family, family_id, person, postgres_home, turned};
use crate::postgres_server::PostgresServer;

fn open(url: &str, wait: Span) -> Result<Database, DirectoryFault> {
    postgres(&Secret::new(url.to_owned()), &PostgresOptions { wait, ..PostgresOptions::default() })
}

fn is_unavailable<T: std::fmt::Debug>(answer: Result<T, DirectoryFault>) -> bool {
    matches!(answer, Err(DirectoryFault::Unavailable(_)))
}

async fn ada(db: &Database) -> Result<bool, DirectoryFault> {
    Ok(db.users.user(&UserId("id-ada".to_owned())).await?.is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_the_server_was_killed_and_started_again() {
    let mut server = PostgresServer::start();
    let db = open(&server.fresh_database(), Span::secs(5)).unwrap();
    create(&db, person("ada")).await;
    db.families.begin(family("f", "s1")).await.unwrap();
    server.kill();
    assert!(is_unavailable(ada(&db).await));
    assert!(is_unavailable(db.families.turn(1, turned(&family("f", "s1"), "lost")).await));
    assert!(is_unavailable(db.ping().await));
    server.restart();
    // No one has to open anything again, neither to read nor to write.
    assert!(ada(&db).await.unwrap());
    assert!(db.families.turn(1, turned(&family("f", "s1"), "kept")).await.unwrap());
    assert_eq!(db.families.family(&family_id("f")).await.unwrap().unwrap().generation, 2);
    db.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_between_two_requests_is_noticed_by_neither() {
    let mut server = PostgresServer::start();
    let db = open(&server.fresh_database(), Span::secs(5)).unwrap();
    create(&db, person("ada")).await;
    assert!(ada(&db).await.unwrap());
    server.restart();
    assert!(ada(&db).await.unwrap());
    create(&db, person("bob")).await;
}

/// One worker: whoever blocked it would hold up the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_that_hangs_is_unavailable_in_bounded_time_and_holds_up_nobody_else() {
    let server = PostgresServer::start();
    let db = open(&server.fresh_database(), Span::secs(1)).unwrap();
    create(&db, person("ada")).await;
    assert!(ada(&db).await.unwrap());
    server.freeze();
    let begun = Instant::now();
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..100 {
        let db = db.clone();
        asked.spawn(async move {
            if number % 2 == 0 {
                is_unavailable(ada(&db).await)
            } else {
                is_unavailable(db.families.begin(family(&format!("f{number}"), "s1")).await)
            }
        });
    }
    // The only worker still serves what needs no database.
    let other = tokio::spawn(async {
        let begun = Instant::now();
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        begun.elapsed()
    });
    assert!(other.await.unwrap() < Duration::from_millis(500));
    assert!(asked.join_all().await.into_iter().all(|unavailable| unavailable));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    server.thaw();
    assert!(ada(&db).await.unwrap());
    // What was told as failed may have been written before it was told, but works again whichever it was.
    assert!(db.families.begin(family("after", "s1")).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_amid_a_batch_loses_no_acknowledged_write_and_acknowledges_no_lost_one() {
    let server = PostgresServer::start();
    let url = server.fresh_database();
    let db = open(&url, Span::secs(5)).unwrap();
    db.families.begin(family("f", "s1")).await.unwrap();
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..400 {
        let db = db.clone();
        writes.spawn(async move {
            let name = format!("f{number}");
            (db.families.begin(family(&name, "s1")).await, name)
        });
    }
    // Each time as many of our connections as there are then are ended by the server.
    for _ in 0..20 {
        server.ask(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vestibule'",
        );
    }
    let answers = writes.join_all().await;
    let looking = open(&url, Span::secs(5)).unwrap();
    for (answer, name) in answers {
        let there = looking.families.family(&family_id(&name)).await.unwrap().is_some();
        match answer {
            // Begun, or begun by an attempt whose end nobody could know before it ran again.
            Ok(begun) => assert!(begun && there, "{name}"),
            Err(fault) => assert!(matches!(fault, DirectoryFault::Unavailable(_)), "{fault}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_ours_that_hangs_amid_a_transaction_holds_up_the_others_for_a_while_only() {
    let server = PostgresServer::start();
    let url = server.fresh_database();
    let db = open(&url, Span::secs(2)).unwrap();
    let hold = "BEGIN; SELECT pg_advisory_xact_lock(7310575178855278965); SELECT pg_sleep(3); COMMIT";
    let (held, address) = (std::sync::mpsc::channel(), url.clone());
    let server = std::sync::Arc::new(server);
    let holder = std::sync::Arc::clone(&server);
    let database = address.rsplit('/').next().unwrap().to_owned();
    let thread = std::thread::spawn(move || {
        held.0.send(()).unwrap();
        holder.ask(&database, hold)
    });
    held.1.recv().unwrap();
    while server.ask("postgres", "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'") == "0" {
        tokio::task::yield_now().await;
    }
    assert!(is_unavailable(db.families.begin(family("held", "s1")).await));
    thread.join().unwrap();
    assert!(db.families.begin(family("free", "s1")).await.unwrap());
    assert!(db.families.begin(family("held", "s1")).await.unwrap(), "it was not written behind our back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_and_another_programs_database_are_refused_and_left_alone() {
    let server = PostgresServer::shared();
    let newer = server.fresh_database();
    drop(open(&newer, Span::secs(5)).unwrap());
    let name = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    server.ask(&name(&newer), "UPDATE vestibule_schema SET version = 1000");
    let fault = open(&newer, Span::secs(5)).err().unwrap();
    assert!(matches!(&fault, DirectoryFault::Corrupt(what) if what.contains("newer")), "{fault}");
    let foreign = server.fresh_database();
    server.ask(&name(&foreign), "CREATE TABLE theirs (a int)");
    let fault = open(&foreign, Span::secs(5)).err().unwrap();
    assert!(matches!(&fault, DirectoryFault::Corrupt(what) if what.contains("another program")), "{fault}");
    assert_eq!(
        server.ask(&name(&foreign), "SELECT relname FROM pg_class WHERE relname IN ('users', 'theirs')"),
        "theirs"
    );
}

#[test]
fn many_that_open_an_empty_database_at_once_make_its_tables_once() {
    let url = PostgresServer::shared().fresh_database();
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&url, Span::secs(5)))).collect();
        for one in opened {
            one.join().unwrap().unwrap();
        }
    });
}

#[test]
fn nobody_there_wrong_credentials_and_an_odd_address_are_told_without_the_password() {
    for url in [
        "postgres://ada:open-sesame@127.0.0.1:1/x",
        "postgres://ada:open-sesame@127.0.0.1:1/x?sslmode=maybe",
        "postgres://ada:open-sesame@127.0.0.1:1/x?nonsense=1",
        "postgres://ada:open-sesame@127.0.0.1:99999999/x",
    ] {
        let fault = open(url, Span::secs(5)).err().unwrap().to_string();
        assert!(!fault.contains("sesame"), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_fails_by_itself_sinks_no_neighbour() {
    let home = postgres_home();
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..50 {
        let db = home.db.clone();
        writes.spawn(async move {
            // No index of PostgreSQL holds a key of pages.
            let long = || (0..1_000).map(|part| Digest::of(format!("{part}")).base64url()).collect();
            let name = if number == 25 { long() } else { format!("sid {number}") };
            (number, db.sign_outs.sign_out(&name, at(1), at(2), Vec::new()).await)
        });
    }
    for (number, answer) in writes.join_all().await {
        assert_eq!(answer.is_err(), number == 25, "{number}");
    }
}

/// One that lets `ada` in over TLS alone, and with her password.
fn strict_server() -> (PostgresServer, tempfile::TempDir) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
    let server = PostgresServer::start_with(|data| {
        std::fs::write(data.join("server.crt"), made.cert.pem()).unwrap();
        let key = data.join("server.key");
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let who = "hostssl all ada 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n";
        std::fs::write(data.join("pg_hba.conf"), who).unwrap();
    });
    (server, folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_a_certificate_of_ca_files_is_trusted_and_no_other_and_a_wrong_password_is_not_told() {
    let (server, folder) = strict_server();
    server.ask("postgres", "CREATE ROLE ada LOGIN PASSWORD 'open-sesame'");
    server.ask("postgres", "CREATE DATABASE ours OWNER ada");
    let url = |password: &str, more: &str| server.url("ours").replace("postgres@", &format!("ada:{password}@")) + more;
    let trusting = PostgresOptions { ca_files: vec![folder.path().join("ca.pem")], ..PostgresOptions::default() };
    let try_open = |url: String, options: &PostgresOptions| postgres(&Secret::new(url), options);
    let db = try_open(url("open-sesame", "?sslmode=require"), &trusting).unwrap();
    create(&db, person("ada")).await;
    assert!(ada(&db).await.unwrap());
    let encrypted = "SELECT COUNT(*) = COUNT(*) FILTER (WHERE s.ssl) AND COUNT(*) > 0 FROM pg_stat_ssl s \
        JOIN pg_stat_activity a USING (pid) WHERE a.usename = 'ada'";
    assert_eq!(server.ask("postgres", encrypted), "t");
    for (url, options) in [
        (url("open-sesame", "?sslmode=require"), &PostgresOptions::default()),
        (url("open-sesame", "?sslmode=disable"), &trusting),
        (url("shut-sesame", "?sslmode=require"), &trusting),
    ] {
        let fault = try_open(url, options).err().unwrap();
        assert!(matches!(fault, DirectoryFault::Unavailable(_)), "{fault}");
        assert!(!fault.to_string().contains("sesame"), "{fault}");
    }
}

/// Longer in all than one statement may take, while each of its statements is short.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_limit_is_one_of_each_statement_not_of_a_whole_write() {
    let server = PostgresServer::shared();
    let url = server.fresh_database();
    let db = open(&url, Span::secs(1)).unwrap();
    let database = url.rsplit('/').next().unwrap();
    server.ask(
        database,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END $$; \
         CREATE TRIGGER slow BEFORE INSERT ON families FOR EACH ROW EXECUTE FUNCTION slow()",
    );
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..12 {
        let db = db.clone();
        writes.spawn(async move { db.families.begin(family(&format!("f{number}"), "s1")).await });
    }
    for answer in writes.join_all().await {
        assert!(answer.unwrap());
    }
}
