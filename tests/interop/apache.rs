//! Debian's Apache with mod_auth_openidc: a relying party that somebody else wrote in C, which hears of a sign-out by
//! back channel.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::node::{Process, START_TIMEOUT};

const EXECUTABLE: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";
/// The client's id and secret.
pub const CLIENT: (&str, &str) = ("apache", "apache-secret-0123456789");

/// A running server, gone with its owner.
pub struct Apache {
    process: Process,
    folder: tempfile::TempDir,
}

/// Where the module takes answers and logout tokens, for the client's file.
pub fn redirect_uri(at: SocketAddr) -> String {
    format!("http://localhost:{}/protected/answer", at.port())
}

/// The page that only who is signed in can see; it shows who that is.
pub fn protected_page(at: SocketAddr) -> String {
    format!("http://localhost:{}/protected/index.html", at.port())
}

impl Apache {
    /// Starts it at a free address that the client's file names already.
    pub fn start(at: SocketAddr, issuer: &str) -> Self {
        for needed in [EXECUTABLE, "/usr/lib/apache2/modules/mod_auth_openidc.so"] {
            assert!(Path::new(needed).exists(), "{needed} is missing: run ./test, or install Debian's packages");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Its workers run as another user than root.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("the folder is ours");
        let pages = folder.path().join("pages/protected");
        fs::create_dir_all(&pages).expect("a folder");
        let page = "<!doctype html><title>Protected</title><p id=\"who\"><!--#echo var=\"REMOTE_USER\" --></p>";
        fs::write(pages.join("index.html"), page).expect("a page");
        let file = folder.path().join("apache.conf");
        fs::write(&file, configuration(folder.path(), at, issuer)).expect("its configuration");
        let mut command = Command::new(EXECUTABLE);
        command.arg("-f").arg(&file).arg("-DFOREGROUND").stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(folder.path().join("start.log")).expect("a log"));
        let mut apache = Self { process: Process::spawn(&mut command, "apache2"), folder };
        for _ in 0..START_TIMEOUT.as_millis() / 20 {
            if std::net::TcpStream::connect(at).is_ok() {
                return apache;
            }
            assert!(!apache.process.has_ended(), "apache2 ended:\n{}", apache.log());
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
        panic!("apache2 did not start:\n{}", apache.log());
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        format!("{}{}", read("start.log"), read("error.log"))
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        self.process.terminate();
        if std::thread::panicking() {
            eprintln!("apache2's log:\n{}", self.log());
        }
    }
}

fn configuration(folder: &Path, at: SocketAddr, issuer: &str) -> String {
    let modules = ["mpm_event", "authn_core", "authz_core", "authz_user", "mime", "include", "auth_openidc"];
    let modules: Vec<String> =
        modules.iter().map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so")).collect();
    let user = if is_root() { "User www-data\nGroup www-data" } else { "" };
    format!(
        "ServerRoot {folder}\nServerName localhost\nListen {at}\n{user}\nPidFile {folder}/pid\n\
         Mutex sem\nErrorLog {folder}/error.log\nLogLevel warn auth_openidc:info\n{modules}\n\
         TypesConfig /etc/mime.types\nDocumentRoot {folder}/pages\n\
         OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration\nOIDCClientID {id}\nOIDCClientSecret {secret}\n\
         OIDCRedirectURI {answer}\nOIDCCryptoPassphrase a-passphrase-for-tests-0123456789\nOIDCPKCEMethod S256\n\
         OIDCScope \"openid profile email\"\nOIDCSessionType server-cache\nOIDCRemoteUserClaim preferred_username\n\
         <Location /protected>\nAuthType openid-connect\nRequire valid-user\nOptions +Includes\n\
         SetOutputFilter INCLUDES\n</Location>\n",
        folder = folder.display(),
        modules = modules.join("\n"),
        id = CLIENT.0,
        secret = CLIENT.1,
        answer = redirect_uri(at),
    )
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout.starts_with(b"0\n")
}
