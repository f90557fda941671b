//! The server ends, in order and not: F16, A047, G01.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::sync::Arc;

use crate::support::browser::{Browser, Page};
use crate::support::client::{Ask, Client, Tokens, basic, query};
use crate::support::clock::ManualClock;
use crate::support::evil_idp::EvilIdp;
use crate::support::http::{Request, Response, Routes};
use crate::support::redis::RedisServer;
use crate::support::server::{Setup, wait_until};
use crate::world::{World, assert_refused, person};

#[test]
fn f16_an_orderly_restart_keeps_sessions_logins_under_way_codes_and_tokens() {
    let world = World::new();
    let mut signed_in = world.browser();
    let tokens = world.sign_in(&mut signed_in);
    let (ask, code) = world.code();
    let (spent_ask, spent) = world.code();
    assert_eq!(Client::access().redeem(&world.server, &spent_ask, &spent).status, 200);
    let mut browser = world.browser();
    let under_way = world.ask();
    let callback = world.at_callback(&mut browser, &under_way);

    let world = World { server: world.server.restart(), idp: world.idp };
    let moved = |browser: &Browser| {
        let copy = world.browser();
        for cookie in browser.cookies(&world.server.base) {
            copy.plant(&world.server.base, &cookie.name, &cookie.value);
        }
        copy
    };
    assert!(world.is_signed_in(&moved(&signed_in)));
    world.assert_alive(&tokens.access);
    let answer = Client::access().redeem(&world.server, &ask, &code);
    Tokens::verified(&world.server, &Client::access(), Some(&ask), &answer);
    assert_refused(&Client::access().redeem(&world.server, &spent_ask, &spent), "invalid_grant");
    under_way.answer(&moved(&browser).open(&callback)).code();
}

/// The binary, to be killed.
pub struct Process {
    folder: tempfile::TempDir,
    address: SocketAddr,
    pub base: String,
    idp: EvilIdp,
    pub ask: Ask,
    /// What the server says of itself.
    log: tempfile::NamedTempFile,
    child: Child,
}

impl Process {
    fn start(state: &str) -> Self {
        Self::with(|setup| {
            setup.edit("vestibule.toml", "embedded:", state);
        })
    }

    /// With other files.
    pub fn with(change: impl FnOnce(&mut Setup)) -> Self {
        let clock = Arc::new(ManualClock::at_this_moment());
        let idp = EvilIdp::start(clock.clone());
        idp.set(|script| script.person = person("alice"));
        let mut setup = Setup::new(&idp.issuer());
        let address = setup.on_loopback();
        change(&mut setup);
        // The one in this process only says what requests look like.
        let ask = Client::access().ask(&setup.start(clock));
        let folder = tempfile::tempdir().expect("a folder");
        setup.write(folder.path());
        let log = tempfile::NamedTempFile::new().expect("a file");
        let child = launch(&folder, &setup, &log);
        let process = Self { folder, address, base: format!("http://{address}"), idp, ask, log, child };
        process.wait();
        process
    }

    fn wait(&self) {
        let request = Request::get(&format!("{}/readyz", self.base));
        wait_until("it is ready", || request.try_send(self.address).is_ok_and(|answer| answer.status == 200));
    }

    /// SIGKILL, and a start with what lies in its folder.
    pub fn kill_and_start(&mut self) {
        self.kill();
        self.start_again();
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ended");
    }

    /// A start with what lies in its folder.
    pub fn start_again(&mut self) {
        self.child = launch(&self.folder, &Setup::new(&self.idp.issuer()), &self.log);
        self.wait();
    }

    /// The lines of the log so far that say this.
    pub fn logged(&self, what: &str) -> usize {
        let log = std::fs::read_to_string(self.log.path()).expect("text");
        log.lines().filter(|line| line.contains(what)).count()
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("data/vestibule.db")
    }

    pub fn browser(&self) -> Browser {
        Browser::new(Routes::default())
    }

    pub fn redeem(&self, code: &str) -> Response {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.ask.get("redirect_uri").expect("one")),
            ("code_verifier", &self.ask.verifier),
        ];
        let request = Request::form(&format!("{}/acs/token", self.base), &fields);
        request.header("Authorization", &basic("access", "access-secret")).send(self.address)
    }

    fn at_callback(&self, browser: &mut Browser) -> String {
        browser.until(&self.ask.url(), |url| url.contains("/federation/auth/response/"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launch(folder: &tempfile::TempDir, setup: &Setup, log: &tempfile::NamedTempFile) -> Child {
    let log = || std::fs::File::options().append(true).open(log.path()).expect("a file");
    Command::new(env!("CARGO_BIN_EXE_vestibule"))
        .args(["serve", "--config"])
        .arg(folder.path())
        .envs(&setup.env)
        .stdout(log())
        .stderr(log())
        .spawn()
        .expect("the binary starts")
}

/// A page that says so, and leads somewhere.
#[track_caller]
fn assert_way_on(page: &Page) {
    assert_eq!(page.status(), 400, "{}", page.text());
    assert!(page.response().header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
}

#[test]
fn f16_killed_with_embedded_state_there_is_a_page_and_no_second_code() {
    let mut process = Process::start("embedded:");
    let mut browser = process.browser();
    let callback = process.at_callback(&mut browser);
    let used = query(&process.browser().open(&process.ask.url()).url)["code"].clone();
    assert_eq!(process.redeem(&used).status, 200);
    let unused = query(&process.browser().open(&process.ask.url()).url)["code"].clone();

    process.kill_and_start();
    assert_refused(&process.redeem(&used), "invalid_grant");
    assert_refused(&process.redeem(&unused), "invalid_grant");
    let exchanges = process.idp.count("/token");
    assert_way_on(&browser.open(&callback));
    assert_eq!(process.idp.count("/token"), exchanges, "nothing was turned in upstream");
    // Begun again in the same browser, it works.
    let page = browser.open(&process.ask.url());
    assert_eq!(process.redeem(&process.ask.answer(&page).code()).status, 200);
}

#[test]
fn f16_killed_with_state_in_redis_the_login_goes_on_and_a_used_code_stays_used() {
    let redis = RedisServer::start();
    let mut process = Process::start(&redis.url());
    let mut browser = process.browser();
    let callback = process.at_callback(&mut browser);
    let mut signed_in = process.browser();
    let used = query(&signed_in.open(&process.ask.url()).url)["code"].clone();
    assert_eq!(process.redeem(&used).status, 200);
    let unused = query(&process.browser().open(&process.ask.url()).url)["code"].clone();

    process.kill_and_start();
    assert_eq!(process.redeem(&unused).status, 200, "a code is good at any server");
    assert_refused(&process.redeem(&used), "invalid_grant");
    let code = process.ask.answer(&browser.open(&callback)).code();
    assert_eq!(process.redeem(&code).status, 200);
    let upstream = process.idp.count("/authorize");
    process.ask.answer(&signed_in.open(&process.ask.url())).code();
    assert_eq!(process.idp.count("/authorize"), upstream, "the session lives");
}
