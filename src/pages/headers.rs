//! What goes with a page besides its body: what the browser may do with it.

use std::collections::BTreeSet;

use super::Page;
use crate::base::address::{origin, web_address};

/// Whether a page runs a script of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    None,
    Ours,
}

/// Where a page's forms may lead.
///
/// Chromium checks `form-action` against every redirect that follows a submitted form too (CSP Level 3
/// leaves that open), and what follows ours isn't ours to list: a provider's sign-in page may send the
/// browser on to a second one, then back to us, then to a client, which redirects as it likes. So a form
/// whose answer leads away may go to any https address, and over plain http to loopback only, as all
/// addresses in the configuration. What the rule keeps out is a form to another scheme or to a
/// cleartext host; that nobody puts a form of his own into our pages is the work of escaping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormTargets {
    /// The page has no form.
    None,
    /// The answers stay with us.
    Ours,
    /// The answers lead to clients and identity providers.
    Onward,
    /// The same where one of them is on plain-http loopback that CSP has no word for: it knows neither
    /// `[::1]` nor other addresses of 127.0.0.0/8 with any port.
    OnwardPlain,
}

impl FormTargets {
    /// For a form whose answer may redirect to `addresses`.
    #[must_use]
    pub fn onward(addresses: &[&str]) -> Self {
        let nameable = |address: &&str| {
            let Some(rest) = address.strip_prefix("http://") else { return true };
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
            host == "127.0.0.1" || host == "localhost"
        };
        if addresses.iter().all(nameable) { Self::Onward } else { Self::OnwardPlain }
    }

    const fn sources(self) -> &'static str {
        match self {
            Self::None => "'none'",
            Self::Ours => "'self'",
            Self::Onward => "'self' https: http://127.0.0.1:* http://localhost:*",
            Self::OnwardPlain => "'self' https: http:",
        }
    }
}

/// The frames of a page, and the pages that may have it in a frame of theirs. By default none and nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Framing {
    inside: BTreeSet<String>,
    around: Around,
}

/// Who may have a page in a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Around {
    #[default]
    Nobody,
    Anybody,
}

impl Framing {
    /// For a page that has `frames`, addresses of others, in frames. What is no web address counts for nothing.
    #[must_use]
    pub fn of(frames: &[String]) -> Self {
        Self { inside: frames.iter().filter_map(|address| source(address)).collect(), around: Around::Nobody }
    }

    /// Lets everybody have the page in a frame: there is nothing on it to be seen or clicked.
    #[must_use]
    pub fn by_anybody(self) -> Self {
        Self { around: Around::Anybody, ..self }
    }
}

/// The origin of an address as CSP Level 3 §2.3.1 writes it. It has no word for IPv6 addresses, nor for hosts with
/// characters that URLs allow and policies use themselves (`;`, `,`, `*`): their scheme stands for them.
fn source(address: &str) -> Option<String> {
    let url = web_address(address).ok()?;
    let has_word = url.host_str()?.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    Some(if has_word { origin(&url) } else { format!("{}:", url.scheme()) })
}

/// The Content-Security-Policy of a page: nothing but our own styles and images, our own script where
/// there is one, and no frame in it or around it (RFC 9700 §4.16) but those that the page names.
#[must_use]
pub fn csp(targets: FormTargets, script: Script, framing: &Framing) -> String {
    let script = match script {
        Script::None => "",
        Script::Ours => "script-src 'self'; ",
    };
    let list = |sources: &BTreeSet<String>| sources.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let frames =
        if framing.inside.is_empty() { String::new() } else { format!("frame-src {}; ", list(&framing.inside)) };
    let ancestors = match framing.around {
        Around::Nobody => "'none'",
        Around::Anybody => "*",
    };
    format!(
        "default-src 'none'; {script}style-src 'self'; img-src 'self'; {frames}form-action {}; base-uri 'none'; \
         frame-ancestors {ancestors}",
        targets.sources()
    )
}

/// The headers of a page. `onward`: the addresses that an answer to one of its forms may redirect to,
/// as far as they are known.
///
/// There is no Cross-Origin-Opener-Policy: a client may run the login in a popup, and any value but
/// `unsafe-none` on one page of ours would cut the popup off from the window that waits for it.
/// `no-referrer` makes browsers send `Origin: null` with our own forms, so what they post is told from
/// a foreign form's by the binding cookie, the handle and `Sec-Fetch-Site`, not by `Origin`.
#[must_use]
pub fn headers<P: Page>(page: &P, onward: &[&str]) -> Vec<(&'static str, String)> {
    let fixed = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("X-Robots-Tag", "noindex"),
    ];
    let framing = page.framing();
    // It has no word for everybody.
    let closed = (framing.around == Around::Nobody).then_some(("X-Frame-Options", "DENY"));
    let policy = ("Content-Security-Policy", csp(page.form_targets(onward), P::SCRIPT, &framing));
    fixed.into_iter().chain(closed).map(|(name, value)| (name, value.to_owned())).chain([policy]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a187_no_page_can_be_framed_and_no_policy_allows_anything_inline() {
        for targets in [FormTargets::None, FormTargets::Ours, FormTargets::Onward, FormTargets::OnwardPlain] {
            for script in [Script::None, Script::Ours] {
                let policy = csp(targets, script, &Framing::default());
                assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("frame-ancestors 'none'"));
                assert!(policy.contains("base-uri 'none'") && policy.contains("form-action "));
                assert!(!policy.contains("frame-src"));
                assert!(!policy.contains("unsafe") && !policy.contains("data:") && !policy.contains(" *"));
                assert_eq!(policy.contains("script-src 'self'"), script == Script::Ours);
            }
        }
    }

    #[test]
    fn frames_are_those_of_the_named_origins_and_of_no_other() {
        let texts = |addresses: &[&str]| addresses.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>();
        let frames = texts(&[
            "https://rp.example.com/out?sid=1",
            "https://rp.example.com/out2",
            "https://two.example:8443/x;y z",
            "http://[::1]:9/out",
            "javascript:alert(1)",
            "https://b.example/x",
        ]);
        let policy = csp(FormTargets::None, Script::None, &Framing::of(&frames).by_anybody());
        assert!(policy.contains("; frame-src http: https://b.example https://rp.example.com; "), "{policy}");
        assert!(policy.ends_with("; frame-ancestors *"), "{policy}");
        let nobody = csp(FormTargets::None, Script::None, &Framing::of(&texts(&["data:x", "*"])));
        assert_eq!(nobody, csp(FormTargets::None, Script::None, &Framing::default()));
    }

    #[test]
    fn no_host_adds_to_the_policy() {
        for host in ["a;script-src.example", "a,b.example", "*", "*.example", "'self'", "a!b(c)"] {
            let policy = csp(FormTargets::None, Script::None, &Framing::of(&[format!("https://{host}/out")]));
            assert!(policy.contains("; frame-src https:; ") && !policy.contains(&format!("//{host}")), "{policy}");
        }
        let named =
            csp(FormTargets::None, Script::None, &Framing::of(&["https://a_b.example:8443/out;x,y".to_owned()]));
        assert!(named.contains("; frame-src https://a_b.example:8443; "), "{named}");
    }

    #[test]
    fn plain_http_is_opened_up_only_for_loopback_addresses_that_csp_cannot_name() {
        let onward = |address: &str| FormTargets::onward(&["https://login.example.com/x", address]);
        assert_eq!(FormTargets::onward(&[]), FormTargets::Onward);
        for named in ["https://rp.example.com/cb", "http://127.0.0.1:9/cb", "http://localhost/cb", "http://localhost"] {
            assert_eq!(onward(named), FormTargets::Onward, "{named}");
        }
        for unnamed in ["http://[::1]:9/cb", "http://[::1]/cb", "http://127.0.0.2:9/cb"] {
            assert_eq!(onward(unnamed), FormTargets::OnwardPlain, "{unnamed}");
        }
    }
}
