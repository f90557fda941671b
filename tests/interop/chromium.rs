//! Headless Chromium by way of `drive.mjs`: windows with cookies of their own, tabs in them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::time::Duration;

use serde_json::{Value, json};

use super::node::Node;

/// How long a page may take to become what a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);
const EXECUTABLE: &str = "/usr/bin/chromium";
/// Widths of a desktop and of a telephone, in CSS pixels.
const WIDTHS: [u32; 2] = [1280, 390];

type Waiting = Arc<Mutex<HashMap<u64, mpsc::Sender<Value>>>>;

/// One browser process, shared by the tests of the moment.
pub struct Chromium {
    node: Mutex<Node>,
    waiting: Waiting,
    next: AtomicU64,
}

static SHARED: Mutex<Weak<Chromium>> = Mutex::new(Weak::new());

impl Chromium {
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(chromium) = shared.upgrade() {
            return chromium;
        }
        let chromium = Arc::new(Self::start());
        *shared = Arc::downgrade(&chromium);
        chromium
    }

    fn start() -> Self {
        assert!(Path::new(EXECUTABLE).exists(), "{EXECUTABLE} is missing: run ./test, or install Debian's `chromium`");
        let (lines, answers) = mpsc::channel::<Value>();
        let argument = json!({ "executable": EXECUTABLE, "patience": PATIENCE.as_millis() as u64 });
        let log = tempfile::tempfile().expect("a file");
        let node = Node::start(("drive.mjs", &argument), &[], log, lines);
        let waiting = Waiting::default();
        let for_answers = Arc::clone(&waiting);
        std::thread::spawn(move || {
            for answer in answers {
                let id = answer["id"].as_u64().expect("an answer has its command's id");
                let asker = for_answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                if let Some(asker) = asker {
                    let _ = asker.send(answer);
                }
            }
        });
        Self { node: Mutex::new(node), waiting, next: AtomicU64::new(1) }
    }

    #[track_caller]
    fn call(&self, what: &str, given: Value) -> Value {
        self.try_call(what, given).unwrap_or_else(|fault| panic!("{fault}"))
    }

    fn try_call(&self, what: &str, mut given: Value) -> Result<Value, String> {
        use std::io::Write as _;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        given["id"] = id.into();
        given["do"] = what.into();
        let (sender, answer) = mpsc::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        {
            let mut node = self.node.lock().unwrap_or_else(PoisonError::into_inner);
            let stdin = node.stdin.as_mut().expect("the driver listens");
            writeln!(stdin, "{given}").map_err(|fault| format!("the driver is gone: {fault}"))?;
        }
        let mut answer = answer.recv_timeout(PATIENCE * 2).map_err(|_| format!("no answer to {what} {given}"))?;
        match answer["fault"].as_str() {
            Some(fault) => Err(fault.to_owned()),
            None => Ok(answer["ok"].take()),
        }
    }
}

/// What a window is like.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    locale: Option<&'static str>,
    no_script: bool,
    block_cookies_of: Option<String>,
    third_party_cookies: bool,
}

impl Manner {
    pub fn speaking(mut self, locale: &'static str) -> Self {
        self.locale = Some(locale);
        self
    }

    pub fn without_script(mut self) -> Self {
        self.no_script = true;
        self
    }

    /// Cookies of this origin are neither kept nor sent.
    pub fn blocking_cookies_of(mut self, origin: &str) -> Self {
        self.block_cookies_of = Some(origin.to_owned());
        self
    }

    /// A site in a frame on another site's page has its cookies. Windows are private ones, where Chromium blocks those.
    pub const fn with_third_party_cookies(mut self) -> Self {
        self.third_party_cookies = true;
        self
    }
}

/// A window of a person who has never been here: cookies of its own, any number of tabs. When it closes, nothing
/// may have been complained of on any page of `ours`.
pub struct Window {
    chromium: Arc<Chromium>,
    id: Value,
    ours: String,
    tabs: Mutex<Vec<Value>>,
}

impl Window {
    pub fn new(ours: &str, manner: &Manner) -> Self {
        let chromium = Chromium::shared();
        let given = json!({
            "locale": manner.locale,
            "script": !manner.no_script,
            "blockCookiesOf": manner.block_cookies_of,
            "thirdPartyCookies": manner.third_party_cookies,
        });
        let id = chromium.call("context", given);
        Self { chromium, id, ours: ours.to_owned(), tabs: Mutex::default() }
    }

    pub fn tab(&self) -> Tab<'_> {
        let id = self.chromium.call("page", json!({ "context": self.id }));
        self.tabs.lock().unwrap_or_else(PoisonError::into_inner).push(id.clone());
        Tab { window: self, id }
    }

    /// All its cookies, everybody's.
    pub fn cookies(&self) -> Value {
        self.chromium.call("cookies", json!({ "context": self.id }))
    }

    /// Puts cookies of an earlier moment back in place.
    pub fn restore(&self, cookies: &Value) {
        self.chromium.call("restore", json!({ "context": self.id, "cookies": cookies }));
    }

    /// The cookies that were set for our host and are named as ours are.
    pub fn our_cookies(&self) -> Vec<Value> {
        let all = self.cookies();
        let ours = |cookie: &&Value| cookie["name"].as_str().is_some_and(|name| name.contains("vestibule-"));
        all.as_array().expect("a list").iter().filter(ours).cloned().collect()
    }

    /// Whether it has a session with us.
    pub fn is_signed_in(&self) -> bool {
        self.our_cookies()
            .iter()
            .any(|cookie| cookie["name"].as_str().is_some_and(|n| n.ends_with("vestibule-session")))
    }

    fn complaints(&self) -> Vec<String> {
        let tabs = self.tabs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut complaints = Vec::new();
        for tab in tabs {
            let seen = self.chromium.call("seen", json!({ "page": tab }));
            let visited = seen["requests"].as_array().expect("a list");
            for complaint in seen["complaints"].as_array().expect("a list") {
                let (at, text) =
                    (complaint["at"].as_str().unwrap_or_default(), complaint["text"].as_str().unwrap_or_default());
                // The browser notes that a page came with an error status: it is meant to.
                let is_status = text.starts_with("Failed to load resource: the server responded with a status of ");
                let is_page = visited.iter().any(|seen| seen.as_str().is_some_and(|s| s.ends_with(&format!(" {at}"))));
                if at.starts_with(&self.ours) && !(is_status && is_page) || text.contains("olicy") {
                    complaints.push(format!("{at}: {text}"));
                }
            }
        }
        complaints
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.chromium.try_call("close", json!({ "context": self.id }));
            return;
        }
        let complaints = self.complaints();
        let _ = self.chromium.try_call("close", json!({ "context": self.id }));
        assert!(complaints.is_empty(), "the browser complains:\n{}", complaints.join("\n"));
    }
}

pub struct Tab<'a> {
    window: &'a Window,
    id: Value,
}

/// Where a tab is.
#[derive(Clone, Debug)]
pub struct At {
    pub url: String,
    pub status: u64,
}

impl At {
    fn read(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Self { url: text("url"), status: value["status"].as_u64().unwrap_or_default() }
    }
}

impl Tab<'_> {
    #[track_caller]
    fn call(&self, what: &str, mut given: Value) -> Value {
        given["page"] = self.id.clone();
        self.window.chromium.call(what, given)
    }

    #[track_caller]
    pub fn open(&self, url: &str) -> At {
        At::read(&self.call("open", json!({ "url": url })))
    }

    #[track_caller]
    pub fn back(&self) -> At {
        At::read(&self.call("go", json!({ "way": "back" })))
    }

    #[track_caller]
    pub fn reload(&self) -> At {
        At::read(&self.call("go", json!({ "way": "reload" })))
    }

    #[track_caller]
    pub fn click(&self, selector: &str) {
        self.call("click", json!({ "selector": selector }));
    }

    /// Types in place of what stands there; that.
    #[track_caller]
    pub fn fill(&self, selector: &str, text: &str) -> String {
        self.call("fill", json!({ "selector": selector, "text": text })).as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn press(&self, key: &str) {
        self.call("press", json!({ "key": key }));
    }

    /// Waits until the page has it.
    #[track_caller]
    pub fn wait(&self, selector: &str) -> At {
        At::read(&self.call("wait", json!({ "selector": selector })))
    }

    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        self.call("text", json!({ "selector": selector })).as_str().unwrap_or_default().to_owned()
    }

    /// The id of what has the focus.
    #[track_caller]
    pub fn focused(&self) -> String {
        self.call("focused", json!({})).as_str().unwrap_or_default().to_owned()
    }

    /// Waits for the relying party's result.
    #[track_caller]
    pub fn result(&self) -> Value {
        self.wait("#result");
        serde_json::from_str(&self.text("#result")).expect("JSON")
    }

    /// Every navigation so far, `METHOD URL`.
    #[track_caller]
    pub fn navigations(&self) -> Vec<String> {
        let seen = self.call("seen", json!({}));
        let texts = seen["requests"].as_array().expect("a list").iter();
        texts.map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Keeps pictures of the page in `screenshots` of the target folder; it has to fit a telephone.
    #[track_caller]
    pub fn shoot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        let given =
            json!({ "folder": PathBuf::from(&folder), "name": name, "widths": WIDTHS, "schemes": ["light", "dark"] });
        let too_wide = self.call("shoot", given);
        assert_eq!(too_wide, json!([]), "the page must not scroll sideways");
    }
}
