//! A config folder and the real binary on it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::evil_idp::EvilIdp;
use crate::http::{self, Answer, PATIENCE};

/// What the issuer is called: requests name it in `Host`, whatever port the server has.
pub const HOST: &str = "127.0.0.1:8080";
pub const CLIENT_SECRET: &str = "canary-client-secret-0123456789abcdef";
pub const IDP_SECRET: &str = "canary-upstream-secret-0123456789abcdef";
pub const CALLBACK_AT_CLIENT: &str = "https://rp.example.com/cb";

pub const SERVER: &str = r#"issuer = "http://127.0.0.1:8080/acs"
listen = "127.0.0.1:0"
[database]
url = "sqlite:../data/vestibule.db"
[outbound]
allow_private = ["127.0.0.0/8"]
[management]
listen = "127.0.0.1:0"
"#;

const DIRECTORY: &str = r#"name = "Contoso"
domains = ["contoso.com"]
default_domain = "contoso.com"
source = "generic"
type = "jit"
"#;

const CLIENT: &str = r#"name = "Workspace ONE Access"
client_secret = { env = "CLIENT_SECRET" }
redirect_uris = ["https://rp.example.com/cb"]
grant_types = ["authorization_code", "refresh_token"]
scopes = ["openid", "profile", "email", "user", "offline_access"]
"#;

/// A temporary folder with `config/` in it.
pub struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    /// One directory, one identity provider (if there is an issuer) and the client `access`.
    pub fn new(idp: Option<&str>) -> Self {
        let stage = Self { folder: tempfile::tempdir().expect("a folder") };
        stage.write("vestibule.toml", SERVER);
        stage.write("directories/contoso.toml", DIRECTORY);
        stage.write("clients/access.toml", CLIENT);
        if let Some(issuer) = idp {
            stage.write("idps/contoso.toml", &idp_file(issuer));
        }
        stage
    }

    pub fn at(idp: &EvilIdp) -> Self {
        Self::new(Some(&idp.issuer()))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("config")
    }

    /// Writes as an editor does: whole, beside, then renamed.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.config().join(name);
        let parent = path.parent().expect("a parent");
        std::fs::create_dir_all(parent).expect("a folder");
        let beside = self.path("new");
        std::fs::write(&beside, text).expect("a file");
        std::fs::rename(&beside, &path).expect("renamed");
    }

    #[track_caller]
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.config().join(name)).expect("a file");
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replace(from, to));
    }

    /// The binary with these arguments, `--config` after them.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.args(arguments).arg("--config").arg(self.config());
        command.env_clear().env("CLIENT_SECRET", CLIENT_SECRET).env("IDP_SECRET", IDP_SECRET);
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        Done::of(self.command(arguments).output().expect("the binary runs"))
    }

    pub fn serve(&self) -> Server {
        Server::start(self.command(&["serve"]))
    }
}

pub fn idp_file(issuer: &str) -> String {
    format!(
        r#"name = "Contoso"
kind = "oidc"
issuer = "{issuer}"
client_id = "vestibule"
client_secret = {{ env = "IDP_SECRET" }}
directory = "contoso"
domains = ["contoso.com"]
userinfo = "never"
"#
    )
}

/// What a command said.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Done {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|fault| panic!("{fault} in {self:?}"))
    }
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

/// `vestibule serve`; killed when dropped.
pub struct Server {
    child: Child,
    log: Arc<Log>,
    pub address: SocketAddr,
    pub management: SocketAddr,
}

impl Server {
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let log = Arc::new(Log::default());
        let (into, errors) = (Arc::clone(&log), child.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                into.lines.lock().expect("lines").push(line);
                into.grown.notify_all();
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, log, address: nowhere, management: nowhere };
        let line = server.logged("\"serving\"");
        let fields: Value = serde_json::from_str(&line).expect("JSON on a pipe");
        let at = |name: &str| fields["fields"][name].as_str().and_then(|at| at.parse().ok());
        server.address = at("address").expect("an address");
        server.management = at("management").unwrap_or(nowhere);
        server
    }

    /// The first log line with this text, once it is there.
    #[track_caller]
    pub fn logged(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.log.lines.lock().expect("lines");
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never logged: {text}\n{}", lines.join("\n"));
            lines = self.log.grown.wait_timeout(lines, left).expect("lines").0;
        }
    }

    pub fn log(&self) -> String {
        self.log.lines.lock().expect("lines").join("\n")
    }

    pub fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[], "")
    }

    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        http::raw(self.address, http::request(method, target, HOST, headers, body).as_bytes()).expect("an answer")
    }

    pub fn managed(&self, target: &str) -> Answer {
        let host = self.management.to_string();
        http::raw(self.management, http::request("GET", target, &host, &[], "").as_bytes()).expect("an answer")
    }

    pub fn metrics(&self) -> String {
        self.managed("/metrics").text()
    }

    pub fn id(&self) -> String {
        self.child.id().to_string()
    }

    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.id()]).status().expect("kill").success());
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub fn ended(&mut self) -> i32 {
        let mut code = None;
        until("the process ends", || {
            code = self.child.try_wait().expect("a child").map(|status| status.code().unwrap_or(-1));
            code.is_some()
        });
        code.expect("a code")
    }

    /// SIGTERM, and the orderly end.
    #[track_caller]
    pub fn stop(mut self) {
        self.signal("-TERM");
        assert_eq!(self.ended(), 0, "{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until it holds, and says how long that took.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::park_timeout(Duration::from_millis(10)); // between two looks
    }
    began.elapsed()
}

pub fn exists(path: &Path) -> bool {
    std::fs::metadata(path).is_ok()
}
