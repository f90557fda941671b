//! The product as the binary, between real peers: three identity providers and a relying party. We are at
//! 127.0.0.1, they at localhost, which are two sites to a browser.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, Weak, mpsc};

use serde_json::{Value, json};

use super::certificate::{self, Certificate};
use super::node::{Node, Process, START_TIMEOUT};

/// Who can sign in at each provider, by exactly this text.
pub const ALICE: &str = "alice@contoso.com";
pub const PLUS: &str = "alice+ws1@contoso.com";
pub const UMLAUT: &str = "jürgen.groß@contoso.com";
pub const GUEST: &str = "dana_fabrikam.com#EXT#@contoso.com";
pub const BOB: &str = "bob@fabrikam.com";
pub const NORA: &str = "nora@northwind.com";
pub const NEW: &str = "new@guarded.com";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

pub struct Stage {
    server: Process,
    peers: Node,
    folder: tempfile::TempDir,
    /// Our origin.
    pub base: String,
    /// The relying party's origin.
    pub rp: String,
    /// Where Apache is expected; nobody listens there until a test starts it.
    pub apache: SocketAddr,
}

static SHARED: Mutex<Weak<Stage>> = Mutex::new(Weak::new());

impl Stage {
    /// The stage over plain http that all tests of the moment share; gone with the last of them.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(stage) = shared.upgrade() {
            return stage;
        }
        let stage = Arc::new(Self::start(Scheme::Http));
        *shared = Arc::downgrade(&stage);
        stage
    }

    pub fn start(scheme: Scheme) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = free_address();
        let scheme_name = if scheme == Scheme::Https { "https" } else { "http" };
        let base = format!("{scheme_name}://{address}");
        let certificate = (scheme == Scheme::Https).then(|| certificate::make(folder.path()));
        let peers = start_peers(folder.path(), &base, certificate.as_ref());
        let apache = free_address();
        write_config(folder.path(), &base, address, &peers.ready, certificate.as_ref());
        write_file(folder.path(), "clients/apache.toml", &apache_client(apache));
        let server = start_server(folder.path());
        let rp = text(&peers.ready["rp"]["origin"]);
        Self { server, peers, folder, base, rp, apache }
    }

    /// Where a login of this client begins, with these parameters of its authorization request.
    pub fn login(&self, client: &str, params: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        format!("{}/start/{client}?{query}", self.rp)
    }

    pub fn issuer_of(&self, idp: &str) -> String {
        text(&self.peers.ready["idps"][idp]["issuer"])
    }

    /// The issuer in a provider's file.
    pub fn issuer_as_configured(&self, idp: &str) -> String {
        let file = self.folder.path().join(format!("config/idps/{idp}.toml"));
        let lines = fs::read_to_string(file).expect("its file");
        let line = lines.lines().find_map(|line| line.strip_prefix("issuer = \"")).expect("it has an issuer");
        line.trim_end_matches('"').to_owned()
    }

    /// Runs a command beside the server.
    pub fn run(&self, arguments: &[&str]) {
        let done = product(self.folder.path()).args(arguments).output().expect("it runs");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.terminate();
        if std::thread::panicking() {
            let peers = fs::read_to_string(self.folder.path().join("peers.log")).unwrap_or_default();
            eprintln!("the server's log:\n{}\nthe peers':\n{peers}", self.log());
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A loopback address that nobody listens at.
fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

fn start_peers(folder: &Path, base: &str, certificate: Option<&Certificate>) -> Node {
    let at = |idp: &str| format!("{base}/federation/auth/response/oauth2/{idp}");
    let argument = json!({
        "tls": certificate.map(|c| json!({ "cert": c.cert, "key": c.key })),
        "idps": [
            { "name": "contoso", "redirectUri": at("contoso"), "secret": "contoso-secret-0123456789", "people": {
                ALICE: ["Alice", "Adams"], PLUS: ["Alice", "Plus"], UMLAUT: ["Jürgen", "Groß"], GUEST: ["Dana", "Guest"],
            } },
            { "name": "fabrikam", "redirectUri": at("fabrikam"), "secret": "fabrikam-secret-0123456789", "people": {
                BOB: ["Bob", "Brown"],
            } },
            { "name": "northwind", "redirectUri": at("northwind"), "jwksUri": format!("{base}/federation/jwks"), "people": {
                NORA: ["Nora", "North"],
            } },
            { "name": "guarded", "redirectUri": at("guarded"), "secret": "guarded-secret-0123456789", "people": {
                NEW: ["Nils", "New"],
            } },
        ],
        "rp": { "issuer": format!("{base}/acs"), "clients": {
            "basic": { "by": "basic", "secret": "basic secret+&% 0123456789" },
            "post": { "by": "post", "secret": "post secret+&% 0123456789" },
            "keys": { "by": "keys" },
            "published": { "by": "keys" },
            "public": { "by": "none" },
            "told": { "by": "basic", "secret": "told-secret-0123456789" },
            "framed": { "by": "basic", "secret": "told-secret-0123456789" },
            "both": { "by": "basic", "secret": "told-secret-0123456789" },
            "any": { "by": "basic", "secret": "any-secret-0123456789" },
            "fabrikam": { "by": "basic", "secret": "fabrikam-secret-0123456789" },
            "northwind": { "by": "basic", "secret": "northwind-secret-0123456789" },
            "guarded": { "by": "basic", "secret": "guarded-secret-0123456789" },
        } },
    });
    let ca = certificate.map_or_else(String::new, |c| c.ca.display().to_string());
    let env: &[(&str, &str)] = if ca.is_empty() { &[] } else { &[("NODE_EXTRA_CA_CERTS", &ca)] };
    let log = fs::File::options().read(true).write(true).create_new(true).open(folder.join("peers.log"));
    let log = log.expect("a log");
    Node::start(("peers.mjs", &argument), env, log, mpsc::channel().0)
}

fn write_config(folder: &Path, base: &str, address: SocketAddr, peers: &Value, certificate: Option<&Certificate>) {
    let write = |name: &str, lines: &str| write_file(folder, name, lines);
    let (tls, ca) = certificate.map_or_else(Default::default, |c| {
        (format!("[tls]\ncert = {:?}\nkey = {:?}\n", c.cert, c.key), format!("ca_files = [{:?}]\n", c.ca))
    });
    write(
        "vestibule.toml",
        &format!(
            "issuer = \"{base}/acs\"\nlisten = \"{address}\"\n{tls}\n[outbound]\nallow_private = [\"127.0.0.0/8\", \"::1/128\"]\n{ca}"
        ),
    );
    for (idp, more) in [
        ("contoso", "client_secret = { env = \"CONTOSO_SECRET\" }"),
        (
            "fabrikam",
            "client_secret = { env = \"FABRIKAM_SECRET\" }\n[authorize_params]\nresponse_mode = \"form_post\"",
        ),
        ("guarded", "client_secret = { env = \"GUARDED_SECRET\" }"),
        ("northwind", "[client_key]\nkey = { file = \"northwind.key.pem\" }\nalgorithm = \"ES256\""),
    ] {
        // Into this one people come by provisioning only.
        let kind = if idp == "guarded" { "provisioned" } else { "jit" };
        write(&format!("directories/{idp}.toml"), &directory(idp, kind));
        let issuer = text(&peers["idps"][idp]["issuer"]);
        write(&format!("idps/{idp}.toml"), &format!("{}{more}\n", identity_provider(idp, &issuer)));
    }
    write("directories/away.toml", &directory("away", "jit"));
    // Nobody is at this port: what listened there is gone.
    let away = identity_provider("away", &format!("http://localhost:{}", free_address().port()));
    write("idps/away.toml", &format!("{away}client_secret = {{ env = \"GUARDED_SECRET\" }}\n"));
    write("northwind.key.pem", &certificate::key_pem());
    let rp = text(&peers["rp"]["origin"]);
    let jwks = format!("jwks = {{ keys = [{}] }}", toml_table(&peers["rp"]["jwk"]));
    let jwks_uri = format!("jwks_uri = \"{rp}/jwks\"");
    for (id, proof, idps) in [
        ("basic", "client_secret = { env = \"BASIC_SECRET\" }", "\"contoso\""),
        ("post", "client_secret = { env = \"POST_SECRET\" }", "\"contoso\""),
        ("keys", jwks.as_str(), "\"contoso\""),
        ("published", jwks_uri.as_str(), "\"contoso\""),
        ("public", "public = true", "\"contoso\""),
        ("any", "client_secret = { env = \"ANY_SECRET\" }", "\"contoso\", \"fabrikam\", \"northwind\""),
        ("told", "client_secret = { env = \"TOLD_SECRET\" }", "\"contoso\""),
        ("framed", "client_secret = { env = \"TOLD_SECRET\" }", "\"contoso\""),
        ("both", "client_secret = { env = \"TOLD_SECRET\" }", "\"contoso\""),
        ("guarded", "client_secret = { env = \"GUARDED_SECRET\" }", "\"guarded\""),
        ("fabrikam", "client_secret = { env = \"FABRIKAM_SECRET\" }", "\"fabrikam\""),
        ("northwind", "client_secret = { env = \"NORTHWIND_SECRET\" }", "\"northwind\""),
    ] {
        // One service has a start page, and so a link on our page of links; others hear of a sign-out.
        let (back, front) = (
            format!("backchannel_logout_uri = \"{rp}/backchannel/{id}\"\n"),
            format!("frontchannel_logout_uri = \"{rp}/front/{id}\"\n"),
        );
        let start = match id {
            "any" => format!("initiate_login_uri = \"{rp}/start/any\"\n"),
            "told" => back,
            "framed" => front,
            "both" => back + &front,
            _ => String::new(),
        };
        // Two are programs too; one of them has signed access tokens.
        let more = match id {
            "post" => "rule_sets = [\"TENANT_ADMIN\", \"READ_ONLY_TENANT_ADMIN\"]\n",
            "keys" => "rule_sets = [\"TENANT_ADMIN\"]\naccess_token = \"jwt\"\n",
            _ => "",
        };
        write(&format!("clients/{id}.toml"), &format!("{}{start}{more}", client(id, proof, idps, &rp)));
    }
}

fn write_file(folder: &Path, name: &str, lines: &str) {
    let path = folder.join("config").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    fs::write(path, lines).expect("a file can be written");
}

/// Apache's module takes logout tokens at its redirect URI.
fn apache_client(at: SocketAddr) -> String {
    let (id, answer) = (super::apache::CLIENT.0, super::apache::redirect_uri(at));
    format!(
        "name = \"The {id} service\"\nclient_secret = {{ env = \"APACHE_SECRET\" }}\nredirect_uris = [\"{answer}\"]\n\
         idps = [\"contoso\"]\nbackchannel_logout_uri = \"{answer}?logout=backchannel\"\n"
    )
}

fn directory(id: &str, kind: &str) -> String {
    format!(
        "name = \"{id}\"\ndomains = [\"{id}.com\"]\ndefault_domain = \"{id}.com\"\nsource = \"generic\"\ntype = \"{kind}\"\n"
    )
}

fn identity_provider(id: &str, issuer: &str) -> String {
    format!(
        "name = \"The {id} sign-in\"\nkind = \"oidc\"\nissuer = \"{issuer}\"\nclient_id = \"vestibule\"\n\
         directory = \"{id}\"\ndomains = [\"{id}.com\"]\n"
    )
}

fn client(id: &str, proof: &str, idps: &str, rp: &str) -> String {
    let own_name = if matches!(id, "post" | "keys") { ", \"client_credentials\"" } else { "" };
    format!(
        "name = \"The {id} service\"\n{proof}\nredirect_uris = [\"{rp}/cb/{id}\"]\n\
         post_logout_redirect_uris = [\"{rp}/bye\"]\ngrant_types = [\"authorization_code\", \"refresh_token\"{own_name}]\n\
         scopes = [\"openid\", \"profile\", \"email\", \"user\", \"offline_access\"]\nidps = [{idps}]\n"
    )
}

/// A flat JSON object as an inline table.
fn toml_table(value: &Value) -> String {
    let pairs = value.as_object().expect("an object").iter();
    format!("{{ {} }}", pairs.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", "))
}

fn start_server(folder: &Path) -> Process {
    let log = folder.join("server.log");
    let out = fs::File::create(&log).expect("a log");
    let mut command = product(folder);
    command.arg("serve").stdout(out.try_clone().expect("a second handle")).stderr(out);
    let mut server = Process::spawn(&mut command, "the server");
    let looks = START_TIMEOUT.as_millis() / 20;
    for _ in 0..looks {
        let said = fs::read_to_string(&log).unwrap_or_default();
        if said.contains("serving") {
            return server;
        }
        assert!(!server.has_ended(), "the server ended:\n{said}");
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("the server did not start:\n{}", fs::read_to_string(&log).unwrap_or_default());
}

/// A command of the product on this stage's folder.
fn product(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.arg("--config").arg(folder.join("config")).stdin(Stdio::null());
    for (name, value) in [
        ("CONTOSO_SECRET", "contoso-secret-0123456789"),
        ("FABRIKAM_SECRET", "fabrikam-secret-0123456789"),
        ("NORTHWIND_SECRET", "northwind-secret-0123456789"),
        ("BASIC_SECRET", "basic secret+&% 0123456789"),
        ("POST_SECRET", "post secret+&% 0123456789"),
        ("GUARDED_SECRET", "guarded-secret-0123456789"),
        ("TOLD_SECRET", "told-secret-0123456789"),
        ("APACHE_SECRET", super::apache::CLIENT.1),
        ("ANY_SECRET", "any-secret-0123456789"),
    ] {
        command.env(name, value);
    }
    command
}
