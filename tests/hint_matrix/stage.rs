//! The world of the matrix as real parts: the server, the provider under test, another provider, a browser.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use vestibule::directory::JitUser;
use vestibule::identity::{User, UserId};

use crate::fixtures::{ALICE_UPSTREAM, Preset, alice, bob};
use crate::paths::{Path, Session};
use crate::support::browser::{Browser, Page};
use crate::support::client::{Ask, Client, Proof, query};
use crate::support::clock::ManualClock;
use crate::support::evil_idp::EvilIdp;
use crate::support::server::{REDIRECT_URI, Server, Setup, block_on};
use vestibule::hint::EntryPath;

const TENANT: &str = "11111111-2222-4333-8444-555555555555";

const DIRECTORY: &str = r#"name = "Contoso"
domains = ["contoso.com", "contoso.co.uk", "fabrikam.com"]
default_domain = "contoso.com"
source = "generic"
type = "provisioned"
attributes = ["userName", "externalId", "emails", "displayName", "userPrincipalName"]
"#;

const CLIENT: &str = r#"name = "NAME"
public = true
redirect_uris = ["https://rp.example.com/cb"]
"#;

/// Entra's address: an issuer with a path, on the origin of its endpoints. Discovery is answered here, everything
/// else by the provider behind.
struct Front {
    origin: String,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Front {
    fn start(behind: &EvilIdp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("bound"));
        let at = |path: &str| format!("{origin}{path}");
        let discovery = json!({
            "issuer": at(&format!("/{TENANT}/v2.0")),
            "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"), "jwks_uri": at("/jwks"),
            "response_types_supported": ["code"], "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        })
        .to_string();
        let behind = behind.issuer().trim_start_matches("http://").to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().take_while(|_| !stopped.load(Ordering::SeqCst)).flatten() {
                let (behind, discovery) = (behind.clone(), discovery.clone());
                std::thread::spawn(move || answer(stream, &behind, &discovery));
            }
        });
        Self { origin, stop, thread: Some(thread) }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.origin.trim_start_matches("http://"));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One request, one answer.
fn answer(mut stream: TcpStream, behind: &str, discovery: &str) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let (mut request, mut piece) = (Vec::new(), [0_u8; 8192]);
    while !is_whole(&request) {
        let read = stream.read(&mut piece).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&piece[..read]);
    }
    let text = String::from_utf8(request).ok()?;
    if text.split(' ').nth(1)?.ends_with("/.well-known/openid-configuration") {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
        return write!(stream, "{head} {}\r\n\r\n{discovery}", discovery.len()).ok();
    }
    let mut provider = TcpStream::connect(behind).ok()?;
    let closing = text.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    provider.write_all(closing.as_bytes()).ok()?;
    std::io::copy(&mut provider, &mut stream).ok().map(|_| ())
}

/// Whether head and body of a request have arrived.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}

/// Who signs in at the provider under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    Alice,
    Bob,
    /// The provider says no at once; enough to see what it was asked.
    Nobody,
}

pub struct Stage {
    pub server: Server,
    pub contoso: EvilIdp,
    pub fabrikam: EvilIdp,
    issuer: String,
    front: Option<Front>,
}

/// One walk along a path.
pub struct Walk {
    /// What the provider under test was asked, in order.
    pub upstream: Vec<String>,
    /// Where the browser ended.
    pub page: Page,
    pub browser: Browser,
}

impl Stage {
    /// `settings`: lines of the `[login_hint]` table of the provider under test.
    pub fn new(preset: Preset, settings: &str) -> Self {
        let clock = Arc::new(ManualClock::at_this_moment());
        let (contoso, fabrikam) = (EvilIdp::start(clock.clone()), EvilIdp::start(clock.clone()));
        let front = (preset == Preset::Entra).then(|| Front::start(&contoso));
        let issuer = front.as_ref().map_or_else(|| contoso.issuer(), |f| format!("{}/{TENANT}/v2.0", f.origin));
        if preset == Preset::Entra {
            let issuer = issuer.clone();
            contoso.set(|script| {
                script.sends_iss = false;
                script.claims = Some(Arc::new(move |claims: &mut Map<String, Value>| {
                    claims.insert("iss".to_owned(), json!(issuer));
                    claims.insert("tid".to_owned(), json!(TENANT));
                }));
            });
        }
        let kind = match preset {
            Preset::Entra => "entra",
            Preset::Okta => "okta",
            Preset::Oidc => "oidc",
        };
        let mut setup = Setup::new(&contoso.issuer());
        setup.file("directories/contoso.toml", DIRECTORY);
        setup.file("idps/contoso.toml", &provider(kind, &issuer, "contoso.com", settings));
        setup.file("idps/fabrikam.toml", &provider("oidc", &fabrikam.issuer(), "fabrikam.com", ""));
        setup.file("idps/litware.toml", &provider("oidc", "http://127.0.0.1:9", "litware.com", ""));
        let both = "idps = [\"contoso\", \"fabrikam\"]";
        let mut client = |id: &str, more: &str| {
            setup.file(&format!("clients/{id}.toml"), &format!("{}{more}\n", CLIENT.replace("NAME", id)));
        };
        client("two", both);
        client("one", "idps = [\"contoso\"]");
        client("closed", &format!("{both}\n[login_hint]\naccept = false"));
        let server = setup.start(clock);
        Self { server, contoso, fabrikam, issuer, front }
    }

    /// Puts a person into the directory, as provisioning would.
    pub fn provision(&self, user: &User) {
        let mut attributes = user.attributes.clone();
        attributes.insert("externalId".to_owned(), json!(external_id(user)));
        let user = JitUser {
            fresh_id: UserId(user.id.0.clone()),
            directory: "contoso".to_owned(),
            match_attribute: "externalId".to_owned(),
            match_value: external_id(user),
            attributes,
            email_verified: true,
        };
        let users = &self.server.running().ports().directory.users;
        block_on(users.provision(user, self.server.now())).expect("the database works");
    }

    pub fn client(&self, path: &Path) -> Client {
        let id = match (path.accept_hints, path.idps) {
            (false, _) => "closed",
            (true, 1) => "one",
            (true, _) => "two",
        };
        Client::new(id, Proof::Public, REDIRECT_URI)
    }

    /// The authorization request of a path.
    pub fn ask(&self, path: &Path) -> Ask {
        let mut ask = self.client(path).ask(&self.server);
        if let Some(hint) = path.received {
            ask = ask.with(if path.entry == EntryPath::Alias { "u" } else { "login_hint" }, hint);
        }
        if let Some(domain) = path.domain {
            ask = ask.with("domain", domain);
        }
        if let Some(prompt) = path.prompt.as_str() {
            ask = ask.with("prompt", prompt);
        }
        if path.form_post {
            ask = ask.with("response_mode", "form_post");
        }
        ask
    }

    pub fn returns(&self, who: Returns) {
        self.contoso.set(|script| {
            script.authorize_error = (who == Returns::Nobody).then_some("access_denied");
            script.person = claims(&if who == Returns::Bob { bob() } else { alice() });
        });
    }

    /// A browser in which the path's session is alive.
    pub fn browser(&self, path: &Path) -> Browser {
        let mut browser = self.server.browser();
        let user = match path.session {
            Session::None => return browser,
            Session::Alice => alice(),
            Session::Bob => bob(),
        };
        self.fabrikam.set(|script| script.person = claims(&user));
        let ask = Client::new("two", Proof::Public, REDIRECT_URI).ask(&self.server).with("domain", "fabrikam.com");
        ask.run(&mut browser).code();
        browser.tab()
    }

    /// Goes the path with a browser, to its end.
    pub fn walk(&self, path: &Path, who: Returns) -> Walk {
        let mut browser = self.browser(path);
        self.returns(who);
        let page = self.begin(path, &mut browser);
        let origin = self.front.as_ref().map_or_else(|| self.contoso.issuer(), |front| front.origin.clone());
        let endpoint = format!("{origin}/authorize?");
        let upstream = browser.seen.iter().filter(|url| url.starts_with(&endpoint)).cloned().collect();
        let elsewhere = format!("{}/authorize?", self.fabrikam.issuer());
        assert!(
            !browser.seen.iter().any(|url| url.starts_with(&elsewhere)),
            "{}: sent to the wrong provider",
            path.row
        );
        Walk { upstream, page, browser }
    }

    fn begin(&self, path: &Path, browser: &mut Browser) -> Page {
        let ask = self.ask(path);
        match path.entry {
            EntryPath::Post => browser.post_from(REDIRECT_URI, ask.endpoint(), &ask.params),
            EntryPath::Pushed => browser.open(&self.pushed(path, &ask)),
            EntryPath::Initiate => {
                let mut url = url::Url::parse(&self.server.url("/federation/auth/initiate")).expect("a URL");
                url.query_pairs_mut().append_pair("iss", &self.issuer);
                url.query_pairs_mut().extend_pairs(path.received.map(|hint| ("login_hint", hint)));
                browser.open(url.as_str())
            }
            EntryPath::WorkEmail => {
                let page = browser.open(&ask.url());
                let form = page.form_with("email").fill("email", path.typed.expect("something is typed"));
                browser.submit(&page, &form)
            }
            EntryPath::ProviderButton => {
                let page = browser.open(&ask.url());
                let form = page.form_with("idp").press("idp", "contoso");
                browser.submit(&page, &form)
            }
            EntryPath::SignInAgain => self.again(&ask, browser),
            _ => browser.open(&ask.url()),
        }
    }

    /// Pushes the request; where the browser is sent with its name.
    fn pushed(&self, path: &Path, ask: &Ask) -> String {
        let client = self.client(path);
        let fields: Vec<(&str, &str)> = ask
            .params
            .iter()
            .filter(|(name, _)| name != "client_id")
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let answer = self.server.send(&client.request(&self.server, "/acs/par", &fields));
        let uri = answer.json()["request_uri"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned();
        format!("{}?client_id={}&request_uri={uri}", ask.endpoint(), client.id)
    }

    /// Somebody else signs in at first; then the button of the mismatch page.
    fn again(&self, ask: &Ask, browser: &mut Browser) -> Page {
        let second = self.contoso_script();
        self.returns(Returns::Bob);
        let page = browser.open(&ask.url());
        let form = page.form_with("action").press("action", "retry");
        self.returns(second);
        browser.submit(&page, &form)
    }

    fn contoso_script(&self) -> Returns {
        let mut found = Returns::Nobody;
        self.contoso.set(|script| {
            found = match (script.authorize_error, script.person.get("sub") == Some(&json!("bob-at-idp"))) {
                (Some(_), _) => Returns::Nobody,
                (None, true) => Returns::Bob,
                (None, false) => Returns::Alice,
            };
        });
        found
    }

    /// Whether this browser is signed in, as a client finds out.
    pub fn is_signed_in(&self, browser: &Browser) -> bool {
        let ask = Client::new("two", Proof::Public, REDIRECT_URI).ask(&self.server).with("prompt", "none");
        ask.run(&mut browser.tab()).fields.contains_key("code")
    }
}

impl Walk {
    /// What the last upstream request asks for: hint, domain hint, prompt.
    pub fn asked(&self) -> Option<[Option<String>; 3]> {
        let params = query(self.upstream.last()?);
        Some(["login_hint", "domain_hint", "prompt"].map(|name| params.get(name).cloned()))
    }

    /// The answer at the client, from the URL or from the form that posts it.
    pub fn answer(&self) -> BTreeMap<String, String> {
        match &self.page.answer {
            None => self.page.query(),
            Some(_) => self
                .page
                .forms()
                .into_iter()
                .find(|f| f.action == REDIRECT_URI)
                .map_or_else(BTreeMap::new, |f| f.fields.into_iter().collect()),
        }
    }

    pub fn is_mismatch_page(&self) -> bool {
        self.page.answer.is_some() && self.page.forms().iter().any(|f| f.buttons.iter().any(|(_, v)| v == "retry"))
    }
}

fn provider(kind: &str, issuer: &str, domain: &str, settings: &str) -> String {
    format!(
        "name = \"{domain}\"\nkind = \"{kind}\"\nissuer = \"{issuer}\"\nclient_id = \"vestibule\"\n\
         client_secret = {{ env = \"IDP_SECRET\" }}\ndirectory = \"contoso\"\ndomains = [\"{domain}\"]\n\n\
         [login_hint]\n{settings}\n"
    )
}

fn external_id(user: &User) -> String {
    format!("{}-at-idp", user.id)
}

/// What a provider says of somebody: nothing by which a hint could fit but what the directory has, and its own
/// opaque name.
fn claims(user: &User) -> Map<String, Value> {
    let id = external_id(user);
    let claims = json!({ "sub": id, "oid": id, "name": user.id.0, "login_hint": ALICE_UPSTREAM });
    claims.as_object().cloned().unwrap_or_default()
}
