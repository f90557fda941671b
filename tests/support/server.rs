//! The product under test: a config folder of its own, started in this process with a manual clock, or as
//! the binary.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use vestibule::app::{self, Options, Running};
use vestibule::base::{Moment, Span};
use vestibule::directory::Activity;
use vestibule::identity::UserId;

use super::browser::Browser;
use super::clock::{ManualClock, SeededDice};
use super::http::{Request, Response, Routes};

/// The origin under which the server is reached: a name, as in production, so that cookies have their
/// production names. `Routes` leads it to the loopback address.
pub const BASE: &str = "https://id.example.com";
pub const ISSUER: &str = "https://id.example.com/acs";
/// Where clients of these tests live; nobody answers there, the browser stops when it gets there.
pub const REDIRECT_URI: &str = "https://rp.example.com/cb";

/// The runtime on which servers of this process run; tests themselves block.
static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
});

pub fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// A config folder before it is written.
#[derive(Clone, Debug)]
pub struct Setup {
    pub files: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
}

const SERVER: &str = r#"issuer = "https://id.example.com/acs"
listen = "127.0.0.1:0"

[state]
url = "embedded:"

[database]
url = "sqlite:data/vestibule.db"

[outbound]
allow_private = ["127.0.0.0/8"]

[management]
listen = "127.0.0.1:0"
"#;

const DIRECTORY: &str = r#"name = "Contoso"
domains = ["contoso.com", "contoso.co.uk"]
default_domain = "contoso.com"
source = "generic"
type = "jit"
"#;

const IDP: &str = r#"name = "NAME"
kind = "oidc"
issuer = "ISSUER"
client_id = "vestibule"
client_secret = { env = "IDP_SECRET" }
directory = "contoso"
DOMAINS

[match]
claim = "sub"
attribute = "externalId"

[user_attributes]
userName = "preferred_username"
emails = "email"
"name.givenName" = "given_name"
"name.familyName" = "family_name"
displayName = "name"
"#;

/// A confidential client with everything that a service asks for.
const ACCESS: &str = r#"name = "Workspace ONE Access"
client_secret = { env = "ACCESS_SECRET" }
redirect_uris = ["https://rp.example.com/cb", "https://rp.example.com/cb?tenant=1"]
post_logout_redirect_uris = ["https://rp.example.com/bye"]
grant_types = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "user", "offline_access"]
"#;

const SECOND: &str = r#"name = "Second service"
client_secret = { env = "SECOND_SECRET" }
redirect_uris = ["https://second.example.com/cb"]
grant_types = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "offline_access"]
"#;

const PUBLIC: &str = r#"name = "Browser client"
public = true
redirect_uris = ["https://spa.example.com/cb"]
web_origins = ["https://spa.example.com"]
"#;

impl Setup {
    /// One directory, one identity provider and three clients: `access`, `second` and the public `spa`.
    pub fn new(idp_issuer: &str) -> Self {
        let env =
            [("IDP_SECRET", "idp-secret"), ("ACCESS_SECRET", "access-secret"), ("SECOND_SECRET", "second-secret")];
        let mut setup =
            Self { files: BTreeMap::new(), env: env.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect() };
        setup.file("vestibule.toml", SERVER);
        setup.file("directories/contoso.toml", DIRECTORY);
        setup.idp("contoso", idp_issuer, &["contoso.com"]);
        setup.file("clients/access.toml", ACCESS);
        setup.file("clients/second.toml", SECOND);
        setup.file("clients/spa.toml", PUBLIC);
        setup
    }

    pub fn file(&mut self, name: &str, text: &str) -> &mut Self {
        self.files.insert(name.to_owned(), text.to_owned());
        self
    }

    pub fn idp(&mut self, id: &str, issuer: &str, domains: &[&str]) -> &mut Self {
        let domains = if domains.is_empty() { String::new() } else { format!("domains = {domains:?}") };
        let text = IDP.replace("NAME", &format!("The {id} provider")).replace("ISSUER", issuer);
        self.file(&format!("idps/{id}.toml"), &text.replace("DOMAINS", &domains))
    }

    /// Replaces a piece of a file, which must be there.
    #[track_caller]
    pub fn edit(&mut self, name: &str, from: &str, to: &str) -> &mut Self {
        let text = self.files.get_mut(name).unwrap_or_else(|| panic!("no file {name}"));
        assert!(text.contains(from), "{name} has no `{from}`");
        *text = text.replace(from, to);
        self
    }

    /// Adds top-level keys to a file.
    #[track_caller]
    pub fn keys(&mut self, name: &str, lines: &str) -> &mut Self {
        let text = self.files.get_mut(name).unwrap_or_else(|| panic!("no file {name}"));
        *text = format!("{lines}\n{text}");
        self
    }

    /// Adds a table to a file.
    #[track_caller]
    pub fn table(&mut self, name: &str, lines: &str) -> &mut Self {
        let text = self.files.get_mut(name).unwrap_or_else(|| panic!("no file {name}"));
        text.push_str(&format!("\n{lines}\n"));
        self
    }

    /// People of the directory come by provisioning only.
    pub fn provisioned(&mut self) -> &mut Self {
        self.edit("directories/contoso.toml", "type = \"jit\"", "type = \"provisioned\"")
    }

    /// Plain http on loopback, as `demo` has it; the address is known before the start.
    pub fn on_loopback(&mut self) -> SocketAddr {
        let address = free_address();
        self.edit("vestibule.toml", ISSUER, &format!("http://{address}/acs"));
        self.edit(
            "vestibule.toml",
            "listen = \"127.0.0.1:0\"\n\n[state]",
            &format!("listen = \"{address}\"\n\n[state]"),
        );
        address
    }

    /// Writes the folder and starts the server in this process.
    pub fn start(&self, clock: Arc<ManualClock>) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        self.write(folder.path());
        Server::start(folder, self.env.clone(), clock)
    }

    pub fn write(&self, folder: &Path) {
        for (name, text) in &self.files {
            write_file(&folder.join(name), text);
        }
    }
}

/// Writes as an editor does: whole, under another name, then renamed.
pub fn write_file(path: &Path, text: &str) {
    let folder = path.parent().expect("a file is in a folder");
    std::fs::create_dir_all(folder).expect("the folder can be made");
    let beside = folder.join(format!(".{}.new", path.file_name().and_then(|n| n.to_str()).expect("a UTF-8 name")));
    std::fs::write(&beside, text).expect("the file can be written");
    std::fs::rename(&beside, path).expect("and renamed");
}

/// A loopback address that nobody listens at.
pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

/// A running server.
pub struct Server {
    running: Option<Running>,
    folder: Option<tempfile::TempDir>,
    env: BTreeMap<String, String>,
    pub clock: Arc<ManualClock>,
    pub address: SocketAddr,
    pub issuer: String,
    /// `issuer` without its path.
    pub base: String,
}

impl Server {
    fn start(folder: tempfile::TempDir, env: BTreeMap<String, String>, clock: Arc<ManualClock>) -> Self {
        let known = env.clone();
        let options = Options {
            folder: folder.path().to_owned(),
            clock: clock.clone(),
            dice: Arc::new(SeededDice::fresh()),
            listen: None,
            environment: Arc::new(move |name: &str| known.get(name).cloned()),
        };
        let running = block_on(app::start(options)).unwrap_or_else(|fault| match fault {
            app::StartFault::Config(findings) => {
                panic!("{}", vestibule::config::render(&findings, vestibule::config::Styled::Plain))
            }
            other => panic!("the server starts: {other}"),
        });
        let text = std::fs::read_to_string(folder.path().join("vestibule.toml")).expect("its file");
        let issuer = text.split('"').nth(1).expect("the issuer stands first").to_owned();
        let base = issuer.trim_end_matches("/acs").to_owned();
        Self { address: running.address(), running: Some(running), folder: Some(folder), env, clock, issuer, base }
    }

    /// Stops in good order and starts again with the same folder, database and clock.
    pub fn restart(mut self) -> Self {
        let running = self.running.take().expect("it runs");
        block_on(running.stop());
        let folder = self.folder.take().expect("it has a folder");
        Self::start(folder, self.env.clone(), self.clock.clone())
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.as_ref().expect("it has a folder").path().to_owned()
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    pub fn routes(&self) -> Routes {
        let mut routes = Routes::default();
        routes.add(&self.base, self.address);
        routes
    }

    /// A new browser, which has never been here.
    pub fn browser(&self) -> Browser {
        Browser::new(self.routes())
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A request of a program: no cookies, no redirects.
    pub fn send(&self, request: &Request) -> Response {
        request.send(self.address)
    }

    pub fn get(&self, path: &str) -> Response {
        self.send(&Request::get(&self.url(path)))
    }

    /// What `/metrics` says now.
    pub fn metrics(&self) -> String {
        let management = self.running().management().expect("a management address");
        Request::get(&format!("http://{management}/metrics")).send(management).text()
    }

    /// The value of one series of `/metrics`, by name and labels as they are written there; zero if it isn't.
    pub fn metric(&self, series: &str) -> f64 {
        let text = self.metrics();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok());
        line.unwrap_or(0.0)
    }

    pub fn advance(&self, span: Span) {
        self.clock.advance(span);
    }

    pub fn now(&self) -> Moment {
        vestibule::base::Clock::now(&*self.clock)
    }

    /// Switches a user off, as a provisioning call would; `sub` is the user's id.
    pub fn deactivate(&self, sub: &str) {
        let users = &self.running().ports().directory.users;
        let id = UserId(sub.to_owned());
        let done = users.set_active(&id, Activity::Inactive, self.now());
        assert!(block_on(done).expect("the database works"), "there is a user {sub}");
    }

    /// Replaces a piece of a config file and waits until the change is in force: `holds` sees it.
    pub fn reconfigure(&self, name: &str, from: &str, to: &str, holds: impl Fn() -> bool) {
        let path = self.folder().join(name);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        assert!(text.contains(from), "{name} has no `{from}`");
        write_file(&path, &text.replace(from, to));
        wait_until("the changed file is in force", holds);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            block_on(running.stop());
        }
    }
}

/// Looks again and again until `holds`; fails after ten seconds.
#[track_caller]
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1500 {
        if holds() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("not within thirty seconds: {what}");
}
