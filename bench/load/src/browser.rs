//! A browser: it keeps cookies and follows redirects.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use url::Url;

use crate::wire::{Response, Wires, authority};

/// More redirects than any login has.
const HOPS_MAX: usize = 12;

struct Cookie {
    authority: String,
    path: String,
    name: String,
    value: String,
}

/// The cookies of one browser.
#[derive(Default)]
pub struct Cookies(Vec<Cookie>);

impl Cookies {
    fn header(&self, url: &Url) -> String {
        let at = authority(url);
        let mut header = String::new();
        for cookie in self.0.iter().filter(|c| c.authority == at && is_below(url.path(), &c.path)) {
            let lead = if header.is_empty() { "cookie: " } else { "; " };
            let _ = write!(header, "{lead}{}={}", cookie.name, cookie.value);
        }
        if !header.is_empty() {
            header.push_str("\r\n");
        }
        header
    }

    fn keep(&mut self, url: &Url, response: &Response) {
        let at = authority(url);
        for line in response.all("set-cookie") {
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let (mut path, mut gone) = ("/", value.is_empty());
            for (attribute, value) in parts.filter_map(|part| part.split_once('=')) {
                match attribute.to_ascii_lowercase().as_str() {
                    "path" => path = value,
                    "max-age" => gone |= value == "0",
                    "expires" => gone |= value.contains(" 1970 "),
                    _ => {}
                }
            }
            self.0.retain(|c| !(c.authority == at && c.name == name && c.path == path));
            if !gone {
                let (path, name, value) = (path.to_owned(), name.to_owned(), value.to_owned());
                self.0.push(Cookie { authority: at.clone(), path, name, value });
            }
        }
    }
}

fn is_below(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| of.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
}

/// Follows redirects from `url` until one leads to `end`, which is not visited.
pub async fn walk(wires: &mut Wires, cookies: &mut Cookies, mut url: Url, end: &str) -> anyhow::Result<Url> {
    for _ in 0..HOPS_MAX {
        let response = wires.get(&url, &cookies.header(&url)).await.with_context(|| format!("GET {url}"))?;
        cookies.keep(&url, &response);
        let Some(location) = response.header("location").filter(|_| (300..400).contains(&response.status)) else {
            bail!("GET {url} answered {}: {}", response.status, String::from_utf8_lossy(&response.body));
        };
        let next = url.join(location)?;
        if location.starts_with(end) {
            return Ok(next);
        }
        url = next;
    }
    bail!("more than {HOPS_MAX} redirects, the last to {url}")
}
