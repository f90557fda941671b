//! A real PostgreSQL on a free port, in a folder of its own, ended with the test, or with the program if its tests
//! share it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::port::Port;

/// One server. It keeps its port and its folder over kills and restarts.
pub struct PostgresServer {
    folder: PathBuf,
    port: Port,
    databases: AtomicU32,
    process: Option<Process>,
}

/// A shell that watches over the server: at the end of its input, which also the end of this program is, it ends the
/// server and removes the folder.
struct Process {
    shell: Child,
    server: String,
}

const WATCH: &str = r#"folder=$1; shift
"$@" >/dev/null 2>"$folder/log" &
echo $!
read -r _ && exit
kill -QUIT $!
wait
rm -rf "$folder""#;

impl PostgresServer {
    /// The one that all tests of this program share, each with a database of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One for a test that does something to it.
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// One whose folder of data is changed before it starts. With a `server.crt` and a `server.key` in it, it speaks TLS.
    pub fn start_with(change: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().expect("a folder").keep();
        if is_root() {
            run(Command::new("chown").arg("postgres:").arg(&folder));
        }
        let data = folder.join("data");
        run(as_postgres("initdb").args(["-D", &text(&data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]));
        change(&data);
        if is_root() {
            run(Command::new("chown").args(["-R", "postgres:"]).arg(&data));
        }
        for _ in 0..20 {
            let port = Port::reserve();
            let mut server = Self { folder: folder.clone(), port, databases: AtomicU32::new(0), process: None };
            if server.launch() {
                return server;
            }
        }
        panic!("PostgreSQL doesn't start: {:?}", std::fs::read_to_string(folder.join("log")));
    }

    fn launch(&mut self) -> bool {
        let server = as_postgres("postgres");
        let ssl = if self.folder.join("data/server.crt").exists() { "ssl=on" } else { "ssl=off" };
        let mut shell = Command::new("sh")
            .args(["-c", WATCH, "watch"])
            .arg(&self.folder)
            .arg(server.get_program())
            .args(server.get_args())
            .args(["-D", &text(&self.folder.join("data")), "-p", &self.port.number.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"])
            .args(["-c", ssl, "-c", "max_connections=500", "-c", "shared_buffers=64MB", "-c", "max_wal_size=256MB"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut server = String::new();
        BufReader::new(shell.stdout.take().expect("piped")).read_line(&mut server).expect("the server's id");
        self.process = Some(Process { shell, server: server.trim().to_owned() });
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.answers() {
            if !self.signal("-0") {
                self.release();
                return false;
            }
            assert!(Instant::now() < deadline, "PostgreSQL doesn't answer");
            std::thread::sleep(Duration::from_millis(20)); // between two looks
        }
        true
    }

    fn answers(&self) -> bool {
        self.psql("postgres", "SELECT 1").output().expect("psql").status.success()
    }

    /// A new database; its address.
    pub fn fresh_database(&self) -> String {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.ask("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port.number)
    }

    /// What a statement answers, a row to a line.
    pub fn ask(&self, database: &str, sql: &str) -> String {
        let answer = self.psql(database, sql).output().expect("psql");
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8(answer.stdout).expect("text").trim().to_owned()
    }

    fn psql(&self, database: &str, sql: &str) -> Command {
        let mut psql = Command::new(program("psql"));
        psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", sql]);
        psql.env("PGCONNECT_TIMEOUT", "5");
        psql
    }

    /// Ends it at once, with no word to anybody.
    pub fn kill(&mut self) {
        if self.process.is_some() {
            self.signal("-QUIT");
            let deadline = Instant::now() + Duration::from_secs(30);
            while self.folder.join("data/postmaster.pid").exists() && self.signal("-0") {
                assert!(Instant::now() < deadline, "PostgreSQL doesn't end");
                std::thread::sleep(Duration::from_millis(5)); // between two looks
            }
            self.release();
        }
    }

    /// Lets the shell go without an end of the folder.
    fn release(&mut self) {
        if let Some(Process { mut shell, .. }) = self.process.take() {
            if let Some(input) = &mut shell.stdin {
                let _ended = input.write_all(b"stay\n");
            }
            let _status = shell.wait();
        }
    }

    /// Starts it again on its port, with what lies in its folder.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "PostgreSQL doesn't start again");
    }

    /// SIGSTOP, to all of its processes: connections stay open, nothing is answered.
    pub fn freeze(&self) {
        assert!(self.signal("-STOP"));
        self.signal_children("-STOP");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal_children("-CONT");
        assert!(self.signal("-CONT"));
    }

    fn signal(&self, signal: &str) -> bool {
        let server = &self.process.as_ref().expect("a running server").server;
        send(&[signal, server])
    }

    fn signal_children(&self, signal: &str) {
        let server = &self.process.as_ref().expect("a running server").server;
        let children = std::fs::read_to_string(format!("/proc/{server}/task/{server}/children")).expect("children");
        let children: Vec<&str> = children.split_whitespace().collect();
        assert!(send(&[&[signal], &children[..]].concat()));
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(Process { mut shell, .. }) = self.process.take() {
            drop(shell.stdin.take());
            let _status = shell.wait();
        }
        let _gone = std::fs::remove_dir_all(&self.folder);
    }
}

fn send(arguments: &[&str]) -> bool {
    Command::new("kill").args(arguments).stderr(Stdio::null()).status().expect("kill").success()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Debian keeps the programs of each version in a folder of its own.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let found = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).max();
    found.unwrap_or_else(|| PathBuf::from(name))
}

/// PostgreSQL refuses to be root.
fn as_postgres(name: &str) -> Command {
    if !is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]).arg(program(name));
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.trim_ascii() == b"0"
}

fn run(command: &mut Command) {
    let done = command.current_dir("/").output().expect("PostgreSQL is installed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
