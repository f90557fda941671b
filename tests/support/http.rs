//! A blocking HTTP/1.1 client that does what it is told and nothing more: one connection per
//! request, no redirects, no cookies, headers and bodies exactly as given.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use url::Url;

/// How long an answer may take: longer than any deadline of the server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where origins are served in this test: `https://id.example.com` → a loopback address.
#[derive(Clone, Debug, Default)]
pub struct Routes(BTreeMap<String, SocketAddr>);

impl Routes {
    pub fn add(&mut self, origin: &str, address: SocketAddr) {
        self.0.insert(origin.to_owned(), address);
    }

    /// The address that serves `url`; a loopback URL serves itself. `None`: nobody does.
    pub fn of(&self, url: &Url) -> Option<SocketAddr> {
        let routed = self.0.get(&url.origin().ascii_serialization()).copied();
        routed.or_else(|| match (url.scheme(), url.host_str()?) {
            ("http", "127.0.0.1" | "localhost") => Some(([127, 0, 0, 1], url.port()?).into()),
            _ => None,
        })
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query, as they go over the wire.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, url: &str) -> Self {
        let parsed = Url::parse(url).expect("an absolute URL");
        let mut host = parsed.host_str().expect("with a host").to_owned();
        if let Some(port) = parsed.port() {
            host = format!("{host}:{port}");
        }
        let query = parsed.query().map(|q| format!("?{q}")).unwrap_or_default();
        let target = format!("{}{query}", parsed.path());
        Self { method: method.to_owned(), target, headers: vec![("Host".to_owned(), host)], body: Vec::new() }
    }

    pub fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    pub fn form<N: AsRef<str>, V: AsRef<str>>(url: &str, fields: &[(N, V)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::new("POST", url).header("Content-Type", "application/x-www-form-urlencoded").body(body)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// In place of the header of that name.
    pub fn instead(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.header(name, value)
    }

    pub fn target(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn send(&self, address: SocketAddr) -> Response {
        self.try_send(address).unwrap_or_else(|fault| panic!("{} {} at {address}: {fault}", self.method, self.target))
    }

    /// As `send`, for servers that may be gone or cut the connection.
    pub fn try_send(&self, address: SocketAddr) -> std::io::Result<Response> {
        let mut head = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || self.method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        raw(address, &bytes)
    }
}

/// Sends `bytes` as they are and reads one answer.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> std::io::Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    let written = stream.write_all(bytes); // a server may answer and close before it has read everything
    let mut answer = Vec::new();
    let mut piece = [0_u8; 16 * 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&piece[..n]),
            // A read with a time limit is not begun again by itself when the process was stopped for a while.
            Err(fault) if fault.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(fault) if answer.is_empty() => return Err(fault),
            Err(_) => break,
        }
        if Response::parse(&answer).is_some_and(|(_, whole)| whole) {
            break;
        }
    }
    written.or_else(|fault| if answer.is_empty() { Err(fault) } else { Ok(()) })?;
    let parsed = Response::parse(&answer).map(|(response, _)| response);
    parsed.ok_or_else(|| std::io::Error::other(format!("no answer, {} bytes", answer.len())))
}

#[derive(Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.text().chars().take(200).collect::<String>())
    }
}

impl Response {
    /// The answer as far as it has come, and whether it is whole.
    fn parse(bytes: &[u8]) -> Option<(Self, bool)> {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned()))
            .collect();
        let mut response = Self { status, headers, body: Vec::new() };
        let rest = &bytes[end + 4..];
        if response.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
            let (body, whole) = dechunk(rest);
            response.body = body;
            return Some((response, whole));
        }
        let length = response.header("content-length").and_then(|v| v.parse::<usize>().ok());
        response.body = rest[..length.unwrap_or(rest.len()).min(rest.len())].to_vec();
        let whole = matches!(status, 204 | 304) || length.is_some_and(|length| rest.len() >= length);
        Some((response, whole))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|fault| panic!("status {}, no JSON ({fault}): {}", self.status, self.text()))
    }

    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308) && self.header("location").is_some()
    }

    /// The `error` of a JSON answer; empty if there is none.
    pub fn error(&self) -> String {
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        json["error"].as_str().unwrap_or_default().to_owned()
    }
}

fn dechunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).ok().and_then(|s| usize::from_str_radix(s.trim(), 16).ok());
        let Some(size) = size else { return (body, false) };
        let Some(chunk) = rest.get(end + 2..end + 2 + size) else { return (body, false) };
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(chunk);
        rest = rest.get(end + 4 + size..).unwrap_or_default();
    }
    (body, false)
}
