//! A real `redis-server` on a free port, in a folder of its own, ended with the test.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::port::Port;

/// One server. It keeps its port and its folder over kills and restarts.
pub struct RedisServer {
    folder: tempfile::TempDir,
    port: Port,
    tls_port: Option<Port>,
    options: Vec<String>,
    process: Option<Child>,
}

impl RedisServer {
    /// A server that writes nothing to disk by itself.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more options, as on the command line: `&["--requirepass", "x"]`. With `--requirepass`,
    /// [`RedisServer::ask`] and [`RedisServer::restart`] don't work.
    pub fn start_with(options: &[&str]) -> Self {
        Self::start_at(options, || None)
    }

    /// That also listens for TLS, with a certificate and key in PEM files. It asks for no client certificate.
    pub fn start_tls(cert: &Path, key: &Path) -> Self {
        let (cert, key) = (cert.to_string_lossy(), key.to_string_lossy());
        let options =
            ["--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &cert, "--tls-auth-clients", "no"];
        Self::start_at(&options, || Some(Port::reserve()))
    }

    fn start_at(options: &[&str], tls_port: impl Fn() -> Option<Port>) -> Self {
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        for _ in 0..20 {
            let folder = tempfile::tempdir().expect("a folder");
            let mut server =
                Self { folder, port: Port::reserve(), tls_port: tls_port(), options: options.clone(), process: None };
            if server.launch() {
                return server;
            }
        }
        panic!("redis-server doesn't start: is it installed?");
    }

    fn launch(&mut self) -> bool {
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.number.to_string()])
            .arg("--dir")
            .arg(self.folder.path())
            .args([
                "--save",
                "",
                "--appendonly",
                "no",
                "--rdbcompression",
                "no",
                "--repl-diskless-sync-delay",
                "0",
                "--daemonize",
                "no",
            ])
            .args(self.tls_port.iter().flat_map(|port| ["--tls-port".to_owned(), port.number.to_string()]))
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if process.try_wait().expect("a child").is_some() {
                return false;
            }
            if self.answers() {
                self.process = Some(process);
                return true;
            }
            assert!(Instant::now() < deadline, "redis-server doesn't answer");
            std::thread::sleep(Duration::from_millis(5)); // between two looks
        }
    }

    /// Whether it answers and has loaded its data.
    fn answers(&self) -> bool {
        let ping = || {
            let client = redis::Client::open(self.url())?;
            let mut connection = client.get_connection_with_timeout(Duration::from_secs(1))?;
            redis::cmd("PING").query::<String>(&mut connection)
        };
        match ping() {
            Ok(answer) => answer == "PONG",
            Err(fault) => fault.kind() == redis::ErrorKind::AuthenticationFailed || fault.code() == Some("NOAUTH"),
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port.number)
    }

    /// By name, as certificates have it.
    pub fn tls_url(&self) -> String {
        format!("rediss://localhost:{}", self.tls_port.as_ref().expect("a server started with TLS").number)
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.number).into()
    }

    /// Its folder; `SAVE` writes `dump.rdb` there, and a restart reads it.
    pub fn dump(&self) -> PathBuf {
        self.folder.path().join("dump.rdb")
    }

    /// One command, as in `redis-cli`, on a connection of its own.
    pub fn ask(&self, command: &[&str]) -> redis::Value {
        self.try_ask(command).expect("an answer")
    }

    pub fn try_ask(&self, command: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
        let (name, arguments) = command.split_first().expect("a command");
        redis::cmd(name).arg(arguments).query(&mut connection)
    }

    /// One field of `INFO`.
    pub fn info(&self, name: &str) -> String {
        let info: String = redis::from_redis_value(self.ask(&["INFO"])).expect("text");
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.expect("such a field").trim().to_owned()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("a running server");
            process.wait().expect("an ended server");
        }
    }

    /// Starts it again on its port, with what lies in its folder.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "redis-server doesn't start again");
    }

    /// SIGSTOP: connections stay open, nothing is answered.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.as_ref().expect("a running server").id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
