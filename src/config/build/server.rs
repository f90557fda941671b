//! `vestibule.toml`.

use std::net::SocketAddr;
use std::path::Path;

use url::Url;

use crate::base::{Secret, address};
use crate::config::lints::{
    CFG04, CFG05, CFG16, CFG17, SRV01, SRV02, SRV03, SRV04, SRV05, SRV07, SRV08, SRV09, SRV10, SRV11, SRV12,
};
use crate::config::reader::{Form, Reader};
use crate::config::value::network;
use crate::config::view::View;
use crate::config::{
    DatabaseUrl, KeySettings, Limits, Outbound, PageSettings, Server, SessionLifetimes, StateUrl, TlsFiles,
};
use crate::oidc::client::SigningAlgorithm;

/// The server's settings; `None` if findings were made that leave nothing to go on with.
pub fn build(view: &View<'_>, reader: &mut Reader<'_>) -> Option<Server> {
    let base_url = base_url(view, reader);
    let state = state(&view.table("state"), reader);
    let database = database(&view.table("database"), reader);
    seal_is_there(view, database.as_ref(), reader);
    let listen: Option<SocketAddr> = view.text("listen").parse().ok();
    let management_listen = management(view, listen, reader);
    let tls = tls(&view.table("tls"), reader);
    if let Some(listen) = listen
        && !listen.ip().is_loopback()
        && tls.is_none()
        && view.table("proxy").texts("trusted").is_empty()
    {
        reader.push(view.source.finding(&SRV09, &view.span("listen"), "reached by other machines without TLS"));
    }
    console(&view.table("console"), reader);
    let server = Server {
        issuer: view.text("issuer"),
        base_url: base_url?,
        listen: listen?,
        state: state?,
        database: database?,
        tls,
        trusted_proxies: trusted(&view.table("proxy"), reader),
        outbound: outbound(&view.table("outbound"), reader),
        management_listen,
        limits: limits(&view.table("limits")),
        pages: pages(&view.table("pages"), reader),
        session: session(&view.table("session"), reader),
        keys: keys(&view.table("keys"), reader),
        folder: reader.folder.to_owned(),
    };
    Some(server)
}

fn base_url(view: &View<'_>, reader: &mut Reader<'_>) -> Option<Url> {
    let issuer = view.some_text("issuer")?;
    let why = match address::web_address(&issuer) {
        Err(fault) => fault.to_string(),
        Ok(url) if url.query().is_some() => "has a query (?…)".to_owned(),
        Ok(url) if url.fragment().is_some() => "has a fragment (#…)".to_owned(),
        Ok(url) if url.path() != "/acs" => format!("its path is `{}`, must be `/acs`", url.path()),
        Ok(url) if url.as_str() != issuer => {
            format!("write it as `{url}`: browsers and clients do, and it is compared as text")
        }
        Ok(url) => return Url::parse(&address::origin(&url)).ok(),
    };
    reader.push(view.source.finding(&SRV01, &view.span("issuer"), why));
    None
}

/// The text of an address that may be a secret.
fn secret_url(view: &View<'_>, reader: &mut Reader<'_>) -> Option<Secret> {
    if view.has("url") { reader.secret(view, "url", Form::Plain) } else { Some(Secret::new(view.text("url"))) }
}

fn state(view: &View<'_>, reader: &mut Reader<'_>) -> Option<StateUrl> {
    let secret = secret_url(view, reader)?;
    let text = secret.expose();
    let scheme = text.split(':').next().unwrap_or_default();
    match scheme {
        "embedded" if text == "embedded:" => return Some(StateUrl::Embedded),
        "redis" | "rediss" => {}
        "redis-sentinel" | "redis-cluster" => {
            let label = format!("`{scheme}://` is not available yet; one Redis by redis:// or rediss:// is");
            reader.push(view.source.finding(&SRV03, &view.span("url"), label));
            return None;
        }
        _ => {
            reader.push(view.source.finding(&CFG04, &view.span("url"), "expected embedded:, redis:// or rediss://"));
            return None;
        }
    }
    let Ok(url) = Url::parse(text) else {
        reader.push(view.source.finding(&CFG16, &view.span("url"), "not an address"));
        return None;
    };
    // For this scheme the parser leaves host names and IP addresses as text.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if !loopback && (scheme == "redis" || url.password().is_none()) {
        let lacks = if scheme == "redis" { "without TLS" } else { "without a password" };
        reader.push(view.source.finding(&SRV02, &view.span("url"), lacks));
    }
    Some(StateUrl::Redis(secret))
}

fn database(view: &View<'_>, reader: &mut Reader<'_>) -> Option<DatabaseUrl> {
    let secret = secret_url(view, reader)?;
    let text = secret.expose();
    if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty() && *path != ":memory:") {
        return Some(DatabaseUrl::Sqlite(absolute(&reader.path(path.strip_prefix("//").unwrap_or(path)))));
    }
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        let label = "expected sqlite:PATH, postgres:// or postgresql://";
        reader.push(view.source.finding(&CFG04, &view.span("url"), label));
        return None;
    }
    let Ok(url) = Url::parse(text) else {
        reader.push(view.source.finding(&CFG16, &view.span("url"), "not an address"));
        return None;
    };
    let plain = match url.query_pairs().find(|(name, _)| name == "sslmode").as_ref().map(|(_, mode)| mode.as_ref()) {
        Some("disable" | "prefer") => true,
        Some("require" | "verify-ca" | "verify-full") | None => false,
        Some(_) => {
            let label = "sslmode is one of disable, prefer, require, verify-ca, verify-full";
            reader.push(view.source.finding(&CFG16, &view.span("url"), label));
            return None;
        }
    };
    if plain && !is_on_this_machine(&url) {
        reader.push(view.source.finding(&SRV11, &view.span("url"), "without TLS"));
    }
    Some(DatabaseUrl::Postgres(secret))
}

/// By name or address; a path (`host=/run/postgresql`) is a socket.
fn is_on_this_machine(url: &Url) -> bool {
    let asked: Vec<String> =
        url.query_pairs().filter(|(name, _)| name == "host").map(|(_, host)| host.into_owned()).collect();
    let named = url.host_str().filter(|host| !host.is_empty()).map(|host| host.trim_matches(['[', ']']).to_owned());
    named.iter().chain(&asked).all(|host| {
        host == "localhost"
            || host.starts_with('/')
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// Where no file of ours is beside the database, what seals keys at rest must be given.
fn seal_is_there(view: &View<'_>, database: Option<&DatabaseUrl>, reader: &mut Reader<'_>) {
    let missing = matches!(database, Some(DatabaseUrl::Postgres(_))) && !view.table("keys").has("seal");
    if missing {
        let label = "no file of ours is beside it that could hold the seal";
        reader.push(view.source.finding(&SRV12, &view.table("database").span("url"), label));
    }
}

/// Without `.` and `..`, as text: the folders need not exist yet.
fn absolute(path: &Path) -> std::path::PathBuf {
    let mut parts = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                parts.pop();
            }
            std::path::Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}

fn management(view: &View<'_>, listen: Option<SocketAddr>, reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let table = view.table("management");
    let own: SocketAddr = table.some_text("listen")?.parse().ok()?;
    if Some(own) == listen && own.port() != 0 {
        reader.push(view.source.finding(&SRV07, &table.span("listen"), "the same as `listen`"));
    }
    if !own.ip().is_loopback() {
        reader.push(view.source.finding(&SRV08, &table.span("listen"), "not loopback"));
    }
    Some(own)
}

fn tls(view: &View<'_>, reader: &mut Reader<'_>) -> Option<TlsFiles> {
    if !view.is_present() {
        return None;
    }
    for key in ["cert", "key"] {
        if view.has(key) && view.text(key).is_empty() {
            reader.push(view.source.finding(&CFG05, &view.span(key), "the path of a file in PEM"));
        }
    }
    let cert = reader.marked(view, "cert", "-----BEGIN CERTIFICATE-----");
    let key = reader.marked(view, "key", "PRIVATE KEY-----");
    Some(TlsFiles { cert: cert?, key: key? })
}

fn trusted(view: &View<'_>, reader: &mut Reader<'_>) -> Vec<ipnet::IpNet> {
    for (text, span) in view.items("trusted") {
        if network(&text).is_ok_and(|net| net.prefix_len() == 0) {
            reader.push(view.source.finding(&SRV04, &span, "every address there is"));
        }
    }
    networks(view, "trusted")
}

fn networks(view: &View<'_>, key: &str) -> Vec<ipnet::IpNet> {
    view.texts(key).iter().filter_map(|text| network(text).ok()).collect()
}

fn outbound(view: &View<'_>, reader: &mut Reader<'_>) -> Outbound {
    let proxy = if view.has("proxy") { reader.secret(view, "proxy", Form::Plain) } else { None };
    let proxy = proxy.and_then(|text| {
        let url =
            Url::parse(text.expose()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if url.is_none() {
            reader.push(view.source.finding(&CFG16, &view.span("proxy"), "not an http:// or https:// address"));
        }
        url
    });
    Outbound { allow_private: networks(view, "allow_private"), ca_files: reader.certificates(view, "ca_files"), proxy }
}

fn limits(view: &View<'_>) -> Limits {
    Limits {
        traces: view.duration("traces"),
        audit: view.duration("audit"),
        pending_logins: view.count("pending_logins"),
        pending_logins_per_address: view.count("pending_logins_per_address"),
        pushed_requests_per_client: view.count("pushed_requests_per_client"),
        scim_requests_per_second: view.count("scim_requests_per_second"),
        client_failures_per_minute: view.count("client_failures_per_minute"),
    }
}

fn pages(view: &View<'_>, reader: &mut Reader<'_>) -> PageSettings {
    let email = view.some_text("support_email");
    if email.as_ref().is_some_and(|email| {
        crate::base::text::LoginHint::parse(email).ok().flatten().is_none_or(|e| e.domain().is_none())
    }) {
        reader.push(view.source.finding(&CFG04, &view.span("support_email"), "expected an email address"));
    }
    let logo = view.some_text("logo").map(|path| reader.path(&path));
    if logo.as_ref().is_some_and(|path| !path.is_file()) {
        reader.push(view.source.finding(&CFG17, &view.span("logo"), "there is no such file"));
    }
    PageSettings {
        logo,
        accent: view.some_text("accent"),
        accent_dark: view.some_text("accent_dark"),
        support_email: email,
        support_url: view.some_text("support_url"),
        product_name: view.some_text("product_name"),
    }
}

fn console(view: &View<'_>, reader: &mut Reader<'_>) {
    if view.flag("enabled") && view.some_text("admin_group").is_none() {
        reader.push(view.source.finding(&SRV10, &view.span("enabled"), "`admin_group` is missing"));
    }
}

fn session(view: &View<'_>, reader: &mut Reader<'_>) -> SessionLifetimes {
    let lifetimes = SessionLifetimes { idle: view.duration("idle"), absolute: view.duration("absolute") };
    if lifetimes.idle > lifetimes.absolute {
        let at = if view.has("absolute") { "absolute" } else { "idle" };
        let label = format!("idle is \"{}\", absolute \"{}\"", view.text("idle"), view.text("absolute"));
        reader.push(view.source.finding(&SRV05, &view.span(at), label));
    }
    lifetimes
}

fn keys(view: &View<'_>, reader: &mut Reader<'_>) -> KeySettings {
    let words = view.texts("algorithms");
    let algorithms: Vec<SigningAlgorithm> = SigningAlgorithm::ALL
        .into_iter()
        .filter(|algorithm| words.iter().any(|word| word == algorithm.as_str()))
        .collect();
    if view.has("algorithms") && words.is_empty() {
        reader.push(view.source.finding(&CFG04, &view.span("algorithms"), "at least one of RS256, ES256, EdDSA"));
    }
    if view.has("rotation") && view.duration("rotation") < crate::base::Span::days(1) {
        reader.push(view.source.finding(
            &CFG04,
            &view.span("rotation"),
            "at least \"1d\": keys are published a while before they are used",
        ));
    }
    KeySettings { algorithms, rotation: view.duration("rotation"), seal: reader.secret(view, "seal", Form::Line) }
}
