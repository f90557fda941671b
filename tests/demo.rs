//! `vestibule demo`, the program itself: started as a newcomer starts it, walked through as its guide says, stopped.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[expect(dead_code, reason = "a part of the tests' browser is enough here")]
#[path = "support/browser.rs"]
mod browser;
#[path = "support/html.rs"]
mod html;
#[expect(dead_code, reason = "a part of the tests' HTTP client is enough here")]
#[path = "support/http.rs"]
mod http;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use browser::{Browser, Page};
use http::Routes;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vestibule");
/// Far more than it takes to start or to stop on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A demo that runs, and what it printed.
struct Demo {
    process: Child,
    port: u16,
    guide: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(self.root());
    }
}

impl Demo {
    /// Starts it on the first four ports in a row that are free.
    fn start() -> Self {
        for _ in 0..50 {
            let port = next_block();
            let mut process = spawn(port);
            let mut out = BufReader::new(process.stdout.take().unwrap());
            let mut guide = String::new();
            while !guide.contains("REFERENCE") && out.read_line(&mut guide).unwrap() > 0 {}
            if guide.contains("REFERENCE") {
                return Self { process, port, guide };
            }
            let mut why = String::new();
            process.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            process.wait().unwrap();
            assert!(why.contains("is taken"), "it did not start: {why}");
        }
        panic!("no four free ports in a row");
    }

    fn service(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port + 2)
    }

    /// The address printed below the step of that number.
    fn step(&self, number: usize) -> String {
        let mut lines = self.guide.lines().skip_while(|line| !line.starts_with(&format!("  {number}  ")));
        lines.nth(1).expect("a step has an address").trim().to_owned()
    }

    fn folder(&self) -> PathBuf {
        let line = self.guide.lines().find(|line| line.contains("Config folder")).expect("a config folder");
        PathBuf::from(line.split_whitespace().nth(2).expect("its path"))
    }

    fn root(&self) -> PathBuf {
        self.folder().parent().expect("it is in a folder of its own").to_owned()
    }

    fn interrupt(&mut self) {
        let killed = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        assert!(killed.unwrap().success());
    }

    /// Waits for its end; how long that took, and whether it ended well.
    fn ended(&mut self) -> (Duration, bool) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return (began.elapsed(), status.success());
            }
            assert!(began.elapsed() < PATIENCE, "it does not stop");
            std::thread::yield_now();
        }
    }
}

/// Four ports that no other test asks for, outside those that the system hands out by itself.
fn next_block() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = (std::process::id() as u16).wrapping_mul(31).wrapping_add(NEXT.fetch_add(1, Ordering::SeqCst));
    21_000 + offset % 2_500 * 4
}

fn spawn(port: u16) -> Child {
    Command::new(PROGRAM)
        .args(["demo", "--port", &port.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// What the guide's command says, with `words` after the config folder.
fn vestibule(demo: &Demo, words: &[&str]) -> Output {
    Command::new(PROGRAM).arg("--config").arg(demo.folder()).args(words).output().expect("the program runs")
}

/// The service's form, as it was filled in by the page itself.
fn begin(browser: &mut Browser, page: &Page, prompt: &str) -> Page {
    let form = page.form_with("login_hint").fill("prompt", prompt);
    browser.submit(page, &form)
}

/// Somebody types a name at the identity provider's page.
fn sign_in(browser: &mut Browser, page: &Page, username: &str) -> Page {
    let form = page.form_with("request").fill("username", username);
    browser.submit(page, &form)
}

/// The value of a field on a page.
fn field(page: &Page, name: &str) -> String {
    let form = page.form_with(name);
    form.fields.into_iter().find(|(n, _)| n == name).expect("the field").1
}

/// Whether the service shows this claim.
fn has_claim(page: &Page, name: &str, value: &str) -> bool {
    page.text().contains(&format!("<code>{name}</code></th><td><bdi>{value}</bdi>"))
}

/// The reference in the command that the service shows.
fn reference(page: &Page) -> String {
    let text = page.text();
    let command = text.split("<code translate=\"no\">").nth(1).expect("a command").split("</code>").next().unwrap();
    let last = command.rsplit("<span class=\"whole\">").next().unwrap();
    last.split("</span>").next().unwrap().to_owned()
}

/// Asks for a trace until it is written, which it is within about a second.
fn explained(demo: &Demo, reference: &str) -> String {
    let began = Instant::now();
    loop {
        let said = vestibule(demo, &["explain", "login", reference]);
        if said.status.success() {
            return String::from_utf8(said.stdout).unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "{}", String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn the_guide_leads_a_newcomer_through_sign_in_hint_mismatch_and_trace() {
    let demo = Demo::start();
    let mut browser = Browser::new(Routes::default());

    // 1: nobody is named, so a page asks.
    let service = browser.open(&demo.step(1));
    assert_eq!(service.url, demo.service());
    let choose = begin(&mut browser, &service, "");
    assert!(choose.url.contains("/acs/authorize?"), "{}", choose.url);
    let form = choose.forms().into_iter().find(|form| form.has("email") || form.has("login_hint")).unwrap();
    let typed = form.fields.iter().find(|(name, _)| name != "handle" && name != "action").unwrap().0.clone();
    let page = browser.submit(&choose, &form.fill(&typed, "Anna@contoso.example"));
    assert!(page.url.contains("/contoso/authorize?"), "{}", page.url);
    let page = sign_in(&mut browser, &page, "anna@contoso.example");
    assert_eq!(page.url, demo.service());
    assert!(has_claim(&page, "name", "Anna Keller") && has_claim(&page, "aud", "demo"));

    // 2: a hint leads straight to the other company's provider, with the name filled in.
    browser.seen.clear();
    let service = browser.open(&demo.step(2));
    assert_eq!(field(&service, "login_hint"), "carla@fabrikam.example");
    let page = begin(&mut browser, &service, "");
    assert!(page.url.contains("/fabrikam/authorize?"), "Anna's session must not answer for Carla: {}", page.url);
    assert_eq!(field(&page, "username"), "carla@fabrikam.example");
    let page = sign_in(&mut browser, &page, "carla@fabrikam.example");
    // Anna was signed in at the service, which is told by the browser on its way.
    let page = through_frames(&mut browser, &page);
    assert!(has_claim(&page, "email", "carla@fabrikam.example"));
    let trace = explained(&demo, &reference(&page));
    assert!(trace.contains("signed in") && trace.contains("fabrikam"), "{trace}");
    assert!(!trace.contains("carla"), "a hint never stands in a trace");

    // 3: hinted at Anna, Ben signs in.
    let service = browser.open(&demo.step(3));
    assert_eq!(field(&service, "login_hint"), "anna@contoso.example");
    let page = begin(&mut browser, &service, "login");
    assert_eq!(field(&page, "username"), "anna@contoso.example");
    let mismatch = sign_in(&mut browser, &page, "ben@contoso.example");
    assert_eq!(mismatch.status(), 403);
    assert!(mismatch.text().contains("different account"));
    let again = mismatch.forms().into_iter().next().unwrap();
    let (name, value) = again.buttons.first().cloned().unwrap();
    let page = browser.submit(&mismatch, &again.press(&name, &value));
    assert_eq!(field(&page, "username"), "anna@contoso.example");
    let page = sign_in(&mut browser, &page, "anna@contoso.example");
    let page = through_frames(&mut browser, &page);
    assert!(has_claim(&page, "preferred_username", "anna@contoso.example"));

    // 4: the very command that is printed and shown.
    assert!(demo.step(4).ends_with(&format!("--config {} explain login REFERENCE", demo.folder().display())));
    assert!(explained(&demo, &reference(&page)).contains("mismatch"));
}

#[test]
fn single_sign_on_prompt_none_and_sign_out_work_in_the_demo() {
    let demo = Demo::start();
    let mut browser = Browser::new(Routes::default());
    let service = browser.open(&format!("{}?login_hint=ben@contoso.example", demo.service()));
    let page = begin(&mut browser, &service, "");
    let page = sign_in(&mut browser, &page, " BEN@contoso.example");
    assert!(has_claim(&page, "name", "Ben Ito"));

    browser.seen.clear();
    let page = begin(&mut browser, &page, "none");
    assert!(has_claim(&page, "name", "Ben Ito"));
    assert!(!browser.seen.iter().any(|url| url.contains("/contoso/")), "the broker's own session is enough");

    let home = browser.open(&format!("http://127.0.0.1:{}/contoso/", demo.port + 1));
    assert!(home.text().contains("Ben Ito"));
    browser.seen.clear();
    let page = sign_out(&mut browser, &format!("{}sign-out", demo.service()));
    assert_eq!(page.url, demo.service());
    let ends = |part: &str| browser.seen.iter().position(|url| url.contains(part));
    let stations = ["/sign-out", "/acs/openid/logout", "/contoso/", "/federation/auth/logout/done"].map(ends);
    assert!(stations.iter().all(Option::is_some) && stations.is_sorted(), "{:?}", browser.seen);
    let home = browser.open(&format!("http://127.0.0.1:{}/contoso/", demo.port + 1));
    assert_eq!(home.url, demo.service(), "nobody is signed in at the provider");
    let page = begin(&mut browser, &page, "none");
    assert!(page.text().contains("login_required"), "{}", page.text());
}

/// Goes where a sign-out leads: the frames of the broker's page, then its way on.
fn sign_out(browser: &mut Browser, url: &str) -> Page {
    let page = browser.open(url);
    through_frames(browser, &page)
}

fn through_frames(browser: &mut Browser, page: &Page) -> Page {
    let tags = html::tags(&page.text());
    let frames: Vec<&str> = tags.iter().filter(|tag| tag.name == "iframe").filter_map(|tag| tag.get("src")).collect();
    assert_eq!(frames.len(), 1, "the service is told: {}", page.text());
    for frame in frames {
        assert_eq!(browser.tab().open(frame).status(), 200);
    }
    let next = tags.iter().find(|tag| tag.get("id") == Some("next")).expect("a way on");
    browser.open(next.get("href").expect("an address"))
}

#[test]
fn a_sign_out_at_the_broker_reaches_the_service_and_the_provider_of_the_demo() {
    let demo = Demo::start();
    let mut browser = Browser::new(Routes::default());
    let service = browser.open(&format!("{}?login_hint=ben@contoso.example", demo.service()));
    let page = begin(&mut browser, &service, "");
    assert!(has_claim(&sign_in(&mut browser, &page, "ben@contoso.example"), "name", "Ben Ito"));
    let asked = browser.open(&format!("http://127.0.0.1:{}/acs/openid/logout", demo.port));
    let told = browser.submit(&asked, &asked.form_with("handle").press("action", "sign-out"));
    let tags = html::tags(&told.text());
    let frame = tags.iter().find(|tag| tag.name == "iframe").and_then(|tag| tag.get("src")).expect("a frame");
    let foreign = browser.tab().open(&frame.replace("sid=", "sid=x"));
    assert_eq!(foreign.status(), 200);
    assert!(
        has_claim(&browser.tab().open(&demo.service()), "name", "Ben Ito"),
        "another session's end is not this one's"
    );
    browser.tab().open(frame);
    assert!(!has_claim(&browser.tab().open(&demo.service()), "name", "Ben Ito"));
    let next = tags.iter().find(|tag| tag.get("id") == Some("next")).and_then(|tag| tag.get("href"));
    let end = browser.open(next.expect("a way on"));
    assert!(end.text().contains("Demo service") && end.text().contains("have ended"), "{}", end.text());
}

#[test]
fn an_answer_that_another_browser_began_signs_nobody_in_at_the_demo_service() {
    let demo = Demo::start();
    let mut browser = Browser::new(Routes::default());
    let service = browser.open(&format!("{}?login_hint=ben@contoso.example", demo.service()));
    let page = begin(&mut browser, &service, "");
    let form = page.form_with("request").fill("username", "ben@contoso.example");
    let action = browser::resolve(&page.url, &form.action);
    browser.post_from(&page.url, &action, &form.fields);
    let answer = browser.seen.iter().find(|url| url.contains("/callback?code=")).expect("an answer").clone();
    let mut other = Browser::new(Routes::default());
    let page = other.open(&answer);
    assert_eq!(page.url, demo.service());
    assert!(!page.text().contains("Ben Ito</bdi>") && other.cookies(&demo.service()).is_empty());
}

#[test]
fn ctrl_c_stops_all_three_within_seconds_and_leaves_no_folder() {
    let mut demo = Demo::start();
    assert!(demo.folder().join("vestibule.toml").is_file());
    // Browsers keep connections open; nobody waits for them.
    let open: Vec<TcpStream> =
        (0..4).map(|n| TcpStream::connect((Ipv4Addr::LOCALHOST, demo.port + n)).unwrap()).collect();
    Browser::new(Routes::default()).open(&demo.service());
    demo.interrupt();
    let (took, well) = demo.ended();
    assert!(well, "exit code 0");
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(!demo.root().exists());
    for n in 0..4 {
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, demo.port + n)).is_err(), "port {n} still answers");
    }
    drop(open);
}

#[test]
fn the_folder_that_the_demo_writes_passes_the_strict_check() {
    let demo = Demo::start();
    let said = vestibule(&demo, &["check", "--strict"]);
    assert!(
        said.status.success(),
        "{}{}",
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );
}

#[test]
fn a_port_that_is_taken_is_named_and_nothing_is_left_behind() {
    let (listener, port) = (0..50)
        .find_map(|_| {
            let port = next_block();
            TcpListener::bind((Ipv4Addr::LOCALHOST, port + 3)).ok().map(|listener| (listener, port))
        })
        .expect("a free port");
    let said = spawn(port).wait_with_output().unwrap();
    let why = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(1), "{why}");
    assert!(why.contains(&format!("127.0.0.1:{} is taken", port + 3)) && why.contains("--port"), "{why}");
    assert!(said.stdout.is_empty());
    drop(listener);
}
