//! The database locked by another process: A098, F11, G05. Readers go on, writers wait five seconds.

use super::nodes::{assert_unavailable, assert_unavailable_page};
use crate::support::client::{Client, Tokens};
use crate::world::{OFFLINE, World, assert_page, assert_refused, person};

/// Another process that has the file for itself.
struct Lock(rusqlite::Connection);

impl Lock {
    fn on(world: &World) -> Self {
        let file = world.server.folder().join("data/vestibule.db");
        let connection = rusqlite::Connection::open(file).expect("the database");
        connection.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
        Self(connection)
    }

    fn release(self) {
        self.0.execute_batch("ROLLBACK").expect("released");
    }
}

#[test]
fn a098_a_code_redeemed_while_the_database_is_locked_still_works_after() {
    let world = World::new();
    let client = Client::access();
    let (ask, code) = world.code();
    let lock = Lock::on(&world);
    assert_unavailable(&client.redeem(&world.server, &ask, &code));
    lock.release();
    let answer = client.redeem(&world.server, &ask, &code);
    let tokens = Tokens::verified(&world.server, &client, Some(&ask), &answer);
    world.assert_alive(&tokens.access);
    // Once paid, it is spent as ever.
    assert_refused(&client.redeem(&world.server, &ask, &code), "invalid_grant");
    world.assert_dead(&tokens.access);
}

#[test]
fn a098_a_refresh_while_the_database_is_locked_spends_nothing() {
    let world = World::new();
    let client = Client::access();
    let first = world.offline();
    let lock = Lock::on(&world);
    assert_unavailable(&client.refresh(&world.server, first.refresh()));
    world.assert_alive(&first.access);
    lock.release();
    let answer = client.refresh(&world.server, first.refresh());
    let next = Tokens::verified(&world.server, &client, None, &answer);
    world.assert_alive(&next.access);
}

#[test]
fn f11_while_the_database_is_locked_what_only_reads_goes_on() {
    let world = World::new();
    let mut browser = world.browser();
    let tokens = world.sign_in(&mut browser);
    let lock = Lock::on(&world);
    assert!(world.is_signed_in(&browser), "sessions answer");
    world.assert_alive(&tokens.access);
    // Somebody whom the directory knows as the provider tells her, with tokens that need no family.
    let again = world.sign_in(&mut world.browser());
    assert_eq!(again.sub(), tokens.sub());
    for path in ["/acs/jwks", "/acs/.well-known/openid-configuration"] {
        assert_eq!(world.server.get(path).status, 200);
    }
    lock.release();
}

#[test]
fn f11_while_the_database_is_locked_what_writes_is_answered_not_now() {
    let world = World::new();
    let client = Client::access();
    let mut browser = world.browser();
    let tokens = client.sign_in(&world.server, &mut browser, &world.ask().with("scope", OFFLINE));
    let before: Vec<String> = browser.cookies(&world.server.base).into_iter().map(|cookie| cookie.value).collect();
    let mut newcomer = world.browser();
    world.idp.set(|script| script.person = person("bob"));
    let callback = world.at_callback(&mut newcomer, &world.ask());
    let leave = format!("{}/openid/logout?id_token_hint={}", world.server.issuer, tokens.id_token);

    let lock = Lock::on(&world);
    std::thread::scope(|scope| {
        let mut tab = browser.tab();
        let left = scope.spawn(move || tab.step(&leave));
        let mut tab = newcomer.tab();
        let callback = &callback;
        let arrived = scope.spawn(move || tab.step(callback));
        let revoked = scope.spawn(|| client.revoke(&world.server, tokens.refresh()));
        let ready = scope.spawn(|| world.server.get("/readyz"));
        assert_unavailable_page(&left.join().expect("answered"));
        // The login can't go on: its code upstream is spent. The page is a 503 all the same.
        assert_eq!(arrived.join().expect("answered").status, 503);
        assert_unavailable(&revoked.join().expect("answered"));
        let ready = ready.join().expect("answered");
        assert_eq!((ready.status, ready.text().as_str()), (503, "database"));
    });
    lock.release();

    let after: Vec<String> = browser.cookies(&world.server.base).into_iter().map(|cookie| cookie.value).collect();
    assert_eq!(before, after, "no cookie was cleared");
    assert!(world.is_signed_in(&browser), "the sign-out that wasn't acknowledged didn't happen");
    assert!(world.user_ids("bob").is_empty() && !world.is_signed_in(&newcomer), "nobody half let in");
    assert_page(&newcomer.open(&callback), 400);
    assert_eq!(world.sign_in(&mut newcomer).claims["given_name"], "bob", "begun again, it works");
    assert_eq!(client.refresh(&world.server, tokens.refresh()).status, 200, "nor was the family revoked");
}

/// The files of the database, which nobody may write for a while.
struct ReadOnly(Vec<std::path::PathBuf>);

impl ReadOnly {
    /// `None` where files can't be made immutable: not as root, or not on this file system.
    fn of(world: &World) -> Option<Self> {
        let data = world.server.folder().join("data");
        let files = Self(["vestibule.db", "vestibule.db-wal"].map(|name| data.join(name)).into());
        let made = files.flag("+i");
        let writable = std::fs::File::options().append(true).open(&files.0[1]).is_ok();
        (made && !writable).then_some(files)
    }

    fn flag(&self, flag: &str) -> bool {
        std::process::Command::new("chattr").arg(flag).args(&self.0).status().is_ok_and(|status| status.success())
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        self.flag("-i");
    }
}

#[test]
fn f15_on_a_read_only_file_readers_go_on_writers_wait_and_it_heals_by_itself() {
    let world = World::new();
    let client = Client::access();
    let mut browser = world.browser();
    let tokens = client.sign_in(&world.server, &mut browser, &world.ask().with("scope", OFFLINE));
    let (ask, code) = {
        let ask = world.ask().with("scope", OFFLINE);
        let code = ask.run(&mut browser).code();
        (ask, code)
    };
    let Some(read_only) = ReadOnly::of(&world) else {
        eprintln!("not shown here: no file can be made immutable");
        return;
    };
    assert!(world.is_signed_in(&browser), "sessions answer");
    world.assert_alive(&tokens.access);
    assert_unavailable(&client.refresh(&world.server, tokens.refresh()));
    assert_unavailable(&client.redeem(&world.server, &ask, &code));
    let ready = world.server.get("/readyz");
    assert_eq!((ready.status, ready.text().as_str()), (503, "database"));

    drop(read_only);
    let answer = client.redeem(&world.server, &ask, &code);
    Tokens::verified(&world.server, &client, Some(&ask), &answer);
    assert_eq!(client.refresh(&world.server, tokens.refresh()).status, 200, "nothing was spent");
}

#[test]
fn f11_a_yes_to_the_sign_out_while_the_database_is_locked_can_be_given_again() {
    let world = World::new();
    let mut browser = world.browser();
    world.sign_in(&mut browser);
    let kept = |browser: &crate::support::browser::Browser| {
        browser.cookies(&world.server.base).into_iter().map(|cookie| cookie.value).collect::<Vec<_>>()
    };
    let before = kept(&browser);
    let asked = browser.open(&format!("{}/openid/logout", world.server.issuer));
    let form = asked.form_with("handle").press("action", "sign-out");
    let lock = Lock::on(&world);
    assert_unavailable_page(browser.submit(&asked, &form).response());
    assert_eq!(kept(&browser), before, "nobody is told that it is done");
    lock.release();
    assert_page(&browser.submit(&asked, &form), 200);
    assert!(!world.is_signed_in(&browser));
}
