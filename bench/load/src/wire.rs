//! HTTP/1.1 on kept connections, as little of it as the benchmark needs.

use std::collections::HashMap;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const HEADERS_MAX: usize = 64;

/// What came back.
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    /// Whether its version of HTTP keeps connections.
    is_kept: bool,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.all(name).next()
    }

    pub fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{} with no JSON: {}", self.status, String::from_utf8_lossy(&self.body)))
    }
}

/// One connection to each server, as one closed-loop user has them.
#[derive(Default)]
pub struct Wires(HashMap<String, TcpStream>);

impl Wires {
    /// Sends `head` (request line and headers without Host) and `body` to `authority` (host:port).
    pub async fn send(&mut self, authority: &str, head: &str, body: &str) -> anyhow::Result<Response> {
        let mut stream = match self.0.remove(authority) {
            Some(stream) => stream,
            None => connect(authority).await?,
        };
        let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let request = format!("{head}host: {authority}\r\n{length}\r\n{body}");
        stream.write_all(request.as_bytes()).await?;
        let (response, open) = receive(&mut stream).await?;
        if open {
            self.0.insert(authority.to_owned(), stream);
        }
        Ok(response)
    }

    pub async fn get(&mut self, url: &url::Url, headers: &str) -> anyhow::Result<Response> {
        self.send(&authority(url), &format!("GET {} HTTP/1.1\r\n{headers}", target(url)), "").await
    }

    pub async fn post(&mut self, url: &url::Url, headers: &str, body: &str) -> anyhow::Result<Response> {
        let form = "content-type: application/x-www-form-urlencoded\r\n";
        self.send(&authority(url), &format!("POST {} HTTP/1.1\r\n{headers}{form}", target(url)), body).await
    }
}

async fn connect(authority: &str) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(authority).await.with_context(|| format!("connecting to {authority}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub fn authority(url: &url::Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80))
}

pub fn target(url: &url::Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// Reads one response; the second part tells whether the connection may be used again.
async fn receive(stream: &mut TcpStream) -> anyhow::Result<(Response, bool)> {
    let mut bytes = Vec::with_capacity(4096);
    let (mut response, start) = loop {
        ensure!(stream.read_buf(&mut bytes).await? > 0, "the server closed the connection");
        if let Some(found) = head(&bytes)? {
            break found;
        }
    };
    let mut rest = bytes.split_off(start);
    if response.header("transfer-encoding").is_some_and(|te| te.eq_ignore_ascii_case("chunked")) {
        response.body = chunks(stream, rest).await?;
    } else if response.status != 204 && response.status != 304 {
        let length: usize = response.header("content-length").unwrap_or("0").parse()?;
        while rest.len() < length {
            ensure!(stream.read_buf(&mut rest).await? > 0, "the answer broke off");
        }
        response.body = rest;
    }
    let open = response.is_kept && !response.header("connection").is_some_and(|c| c.eq_ignore_ascii_case("close"));
    Ok((response, open))
}

fn head(bytes: &[u8]) -> anyhow::Result<Option<(Response, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = parsed.parse(bytes)? else { return Ok(None) };
    let status = parsed.code.context("no status")?;
    let text = |header: &httparse::Header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned());
    let headers = parsed.headers.iter().map(text).collect();
    Ok(Some((Response { status, headers, is_kept: parsed.version == Some(1), body: Vec::new() }, start)))
}

async fn chunks(stream: &mut TcpStream, mut bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete((head, size))) => {
                let (from, to) = (at + head, at + head + usize::try_from(size)?);
                while bytes.len() < to + 2 {
                    ensure!(stream.read_buf(&mut bytes).await? > 0, "the answer broke off");
                }
                if size == 0 {
                    return Ok(body);
                }
                body.extend_from_slice(&bytes[from..to]);
                at = to + 2;
            }
            Ok(httparse::Status::Partial) => {
                ensure!(stream.read_buf(&mut bytes).await? > 0, "the answer broke off");
            }
            Err(_) => bail!("a wrong chunk size"),
        }
    }
}
