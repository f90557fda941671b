//! A browser as far as logins are concerned: cookies with their rules, redirects, forms, tabs.
//!
//! Every origin counts as a site of its own, as in production. Cookies are kept as the strictest
//! browser keeps them: Secure ones only over https, prefixed ones only as their prefix demands, none
//! sent along with a POST that another site began.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use url::Url;

use super::html::{Form, forms};
use super::http::{Request, Response, Routes};

/// More redirects than any login has.
const REDIRECTS_MAX: usize = 25;

#[derive(Clone, Debug)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    /// The whole Set-Cookie header.
    pub header: String,
    pub path: String,
    pub same_site: String,
}

/// Cookies by origin.
pub type Jar = BTreeMap<String, Vec<Cookie>>;

/// One tab. Clones of a tab share its cookies.
#[derive(Clone, Debug)]
pub struct Browser {
    routes: Routes,
    jar: Option<Arc<Mutex<Jar>>>,
    language: String,
    /// Every URL that this tab was at or was sent to, in order.
    pub seen: Vec<String>,
}

/// Where a navigation ended.
#[derive(Clone, Debug)]
pub struct Page {
    pub url: String,
    /// `None`: the browser left for a place that this test doesn't serve.
    pub answer: Option<Response>,
}

impl Page {
    #[track_caller]
    pub fn response(&self) -> &Response {
        self.answer.as_ref().unwrap_or_else(|| panic!("the browser left for {}", self.url))
    }

    #[track_caller]
    pub fn status(&self) -> u16 {
        self.response().status
    }

    #[track_caller]
    pub fn text(&self) -> String {
        self.response().text()
    }

    #[track_caller]
    pub fn forms(&self) -> Vec<Form> {
        forms(&self.text())
    }

    /// The first form that has a field or button of that name.
    #[track_caller]
    pub fn form_with(&self, name: &str) -> Form {
        let form = self.forms().into_iter().find(|form| form.has(name));
        form.unwrap_or_else(|| panic!("no form with `{name}` at {}:\n{}", self.url, self.text()))
    }

    /// The parameters of the URL that the browser ended at.
    pub fn query(&self) -> BTreeMap<String, String> {
        Url::parse(&self.url).expect("a URL").query_pairs().into_owned().collect()
    }
}

impl Browser {
    pub fn new(routes: Routes) -> Self {
        Self { routes, jar: Some(Arc::default()), language: "en".to_owned(), seen: Vec::new() }
    }

    pub fn without_cookies(mut self) -> Self {
        self.jar = None;
        self
    }

    pub fn speaking(mut self, language: &str) -> Self {
        language.clone_into(&mut self.language);
        self
    }

    /// Another tab of the same browser.
    pub fn tab(&self) -> Self {
        Self { seen: Vec::new(), ..self.clone() }
    }

    /// Somebody types an address or follows a link.
    pub fn open(&mut self, url: &str) -> Page {
        self.travel(Request::get(url), url)
    }

    /// One step only: the answer to this GET, redirect or not.
    pub fn step(&mut self, url: &str) -> Response {
        self.seen.push(url.to_owned());
        self.send(Request::get(url), url, true).unwrap_or_else(|| panic!("{url} is not served here"))
    }

    /// Redirects from `url` on, until the browser is about to go to where `stop` says; that URL.
    #[track_caller]
    pub fn until(&mut self, url: &str, stop: impl Fn(&str) -> bool) -> String {
        let mut url = url.to_owned();
        for _ in 0..REDIRECTS_MAX {
            if stop(&url) {
                return url;
            }
            let answer = self.step(&url);
            assert!(answer.is_redirect(), "stopped at {url} with {}: {}", answer.status, answer.text());
            url = resolve(&url, answer.header("location").unwrap_or_default());
        }
        panic!("redirects without end: {:?}", self.seen);
    }

    /// Sends a form of `page`. The page's own site is what begins the request.
    pub fn submit(&mut self, page: &Page, form: &Form) -> Page {
        let target = if form.action.is_empty() { page.url.clone() } else { resolve(&page.url, &form.action) };
        if form.method == "post" {
            return self.post_from(&page.url, &target, &form.fields);
        }
        let mut url = Url::parse(&target).expect("a form's action is a URL");
        url.query_pairs_mut().clear().extend_pairs(&form.fields);
        self.open(url.as_str())
    }

    /// A POST that a page at `initiator` begins.
    pub fn post_from<N: AsRef<str>, V: AsRef<str>>(&mut self, initiator: &str, url: &str, fields: &[(N, V)]) -> Page {
        let from = origin(initiator);
        let request = Request::form(url, fields)
            .header("Origin", &from)
            .header("Sec-Fetch-Site", if from == origin(url) { "same-origin" } else { "cross-site" })
            .header("Sec-Fetch-Mode", "navigate");
        self.travel_from(request, url, from == origin(url))
    }

    fn travel(&mut self, request: Request, url: &str) -> Page {
        self.travel_from(request, url, true)
    }

    fn travel_from(&mut self, request: Request, url: &str, same_site: bool) -> Page {
        let (mut request, mut url) = (request, url.to_owned());
        for _ in 0..REDIRECTS_MAX {
            self.seen.push(url.clone());
            let lax = same_site || request.method == "GET";
            let Some(answer) = self.send(request.clone(), &url, lax) else { return Page { url, answer: None } };
            if !answer.is_redirect() {
                return Page { url, answer: Some(answer) };
            }
            assert!(!matches!(answer.status, 307 | 308), "a {} repeats a body elsewhere", answer.status);
            url = resolve(&url, answer.header("location").unwrap_or_default());
            request = Request::get(&url);
        }
        panic!("redirects without end: {:?}", self.seen);
    }

    /// `lax`: SameSite=Lax cookies go along.
    fn send(&self, request: Request, url: &str, lax: bool) -> Option<Response> {
        let parsed = Url::parse(url).expect("a browser goes to URLs");
        let address = self.routes.of(&parsed)?;
        let mut request = request.header("Accept-Language", &self.language).header("Accept", "text/html");
        let cookies: Vec<String> = self
            .cookies(url)
            .iter()
            .filter(|c| parsed.path().starts_with(&c.path) && (lax || c.same_site.eq_ignore_ascii_case("none")))
            .map(|c| format!("{}={}", c.name, c.value))
            .collect();
        if !cookies.is_empty() {
            request = request.header("Cookie", &cookies.join("; "));
        }
        let answer = request.send(address);
        self.keep(url, &answer);
        Some(answer)
    }

    fn keep(&self, url: &str, answer: &Response) {
        let Some(jar) = &self.jar else { return };
        let mut jar = jar.lock().expect("no test panics with the jar in its hands");
        let cookies = jar.entry(origin(url)).or_default();
        for header in answer.all("set-cookie") {
            let Some((cookie, gone)) = read(header, url.starts_with("https:")) else { continue };
            cookies.retain(|kept| kept.name != cookie.name);
            if !gone {
                cookies.push(cookie);
            }
        }
    }

    /// What the browser keeps for the origin of `url`.
    pub fn cookies(&self, url: &str) -> Vec<Cookie> {
        let Some(jar) = &self.jar else { return Vec::new() };
        jar.lock().expect("no test panics with the jar in its hands").get(&origin(url)).cloned().unwrap_or_default()
    }

    /// Puts a cookie there, as somebody who has got hold of the machine could.
    pub fn plant(&self, url: &str, name: &str, value: &str) {
        let jar = self.jar.as_ref().expect("a browser with cookies");
        let cookie = Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            header: String::new(),
            path: "/".to_owned(),
            same_site: "lax".to_owned(),
        };
        let mut jar = jar.lock().expect("no test panics with the jar in its hands");
        let cookies = jar.entry(origin(url)).or_default();
        cookies.retain(|kept| kept.name != name);
        cookies.push(cookie);
    }

    /// Every cookie gone.
    pub fn clear(&self) {
        if let Some(jar) = &self.jar {
            jar.lock().expect("no test panics with the jar in its hands").clear();
        }
    }
}

fn origin(url: &str) -> String {
    Url::parse(url).map(|u| u.origin().ascii_serialization()).unwrap_or_default()
}

pub fn resolve(base: &str, location: &str) -> String {
    let base = Url::parse(base).expect("a URL");
    base.join(location).unwrap_or_else(|fault| panic!("a redirect to `{location}`: {fault}")).to_string()
}

/// A cookie as a browser would take it, and whether it is one that ends it. `None`: not taken.
fn read(header: &str, https: bool) -> Option<(Cookie, bool)> {
    let mut parts = header.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let attributes: BTreeMap<String, String> = parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()))
        .collect();
    let secure = attributes.contains_key("secure");
    let path = attributes.get("path").cloned().unwrap_or_else(|| "/".to_owned());
    let host_only = !attributes.contains_key("domain");
    let prefix_holds = (!name.starts_with("__Host-") || (secure && host_only && path == "/"))
        && (!name.starts_with("__Secure-") || secure);
    if !prefix_holds || (secure && !https) {
        return None;
    }
    let gone = attributes.get("max-age").is_some_and(|age| age.starts_with(['0', '-']))
        || attributes.get("expires").is_some_and(|at| at.contains("1970"));
    let same_site = attributes.get("samesite").cloned().unwrap_or_else(|| "Lax".to_owned());
    let cookie = Cookie { name: name.to_owned(), value: value.to_owned(), header: header.to_owned(), path, same_site };
    Some((cookie, gone))
}
