//! Processes beside the tests: Node scripts that speak in lines of JSON, and the product's own binary.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// How long anything may take to start, on a machine that is busy.
pub const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the scripts are.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// A process that is killed when its owner is gone.
pub struct Process(Child);

impl Process {
    pub fn spawn(command: &mut Command, what: &str) -> Self {
        Self(command.spawn().unwrap_or_else(|fault| panic!("{what} does not start: {fault}")))
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("its state can be asked").is_some()
    }

    /// Asks it to end as an init system does, and waits.
    pub fn terminate(&mut self) {
        let pid = self.0.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        if asked.is_ok_and(|status| status.success()) {
            let _ = self.0.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A script that has told by a first line of JSON that it is ready. It ends with its standard input.
pub struct Node {
    process: Process,
    pub stdin: Option<ChildStdin>,
    pub ready: Value,
}

impl Node {
    /// Starts `script` with one argument. Its lines of JSON after the first go to `lines`, all else that it says
    /// to the file `log`, which can be read too.
    pub fn start(
        (script, argument): (&str, &Value),
        env: &[(&str, &str)],
        log: File,
        lines: mpsc::Sender<Value>,
    ) -> Self {
        let folder = scripts();
        assert!(
            folder.join("node_modules/.package-lock.json").is_file(),
            "tests/interop/node_modules is missing: run ./test, or `npm ci` in tests/interop"
        );
        let mut command = Command::new("node");
        command.arg(folder.join(script)).arg(argument.to_string()).envs(env.iter().copied());
        let errors = log.try_clone().expect("a second handle");
        let mut said = log.try_clone().expect("a third one");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut process = Process::spawn(&mut command, "node (is it installed?)");
        let stdin = process.0.stdin.take();
        let stdout = process.0.stdout.take().expect("a pipe");
        let (first, ready) = mpsc::channel();
        std::thread::spawn(move || pass_on(stdout, log, &first, &lines));
        let ready = ready.recv_timeout(START_TIMEOUT).unwrap_or_else(|_| {
            let mut text = String::new();
            let _ = said.rewind().and_then(|()| said.read_to_string(&mut text));
            panic!("{script} did not start:\n{text}")
        });
        Self { process, stdin, ready }
    }
}

fn pass_on(stdout: ChildStdout, mut log: File, first: &mpsc::Sender<Value>, rest: &mpsc::Sender<Value>) {
    let mut to = first;
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let Ok(value) = serde_json::from_str::<Value>(&line) else {
            let _ = writeln!(log, "{line}"); // a library's warning
            continue;
        };
        if to.send(value).is_err() {
            return;
        }
        to = rest;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.process.0.wait();
    }
}
