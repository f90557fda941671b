//! What goes with a page besides its body: what the browser may do with it.

use super::Page;

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

/// The Content-Security-Policy of a page: nothing but our own styles and images, our own script where
/// there is one, and no frame around it (RFC 9700 §4.16).
#[must_use]
pub fn csp(targets: FormTargets, script: Script) -> String {
    let script = match script {
        Script::None => "",
        Script::Ours => "script-src 'self'; ",
    };
    format!(
        "default-src 'none'; {script}style-src 'self'; img-src 'self'; form-action {}; base-uri 'none'; \
         frame-ancestors 'none'",
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
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("X-Robots-Tag", "noindex"),
    ];
    let policy = ("Content-Security-Policy", csp(page.form_targets(onward), P::SCRIPT));
    fixed.into_iter().map(|(name, value)| (name, value.to_owned())).chain([policy]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a187_no_page_can_be_framed_and_no_policy_allows_anything_inline() {
        for targets in [FormTargets::None, FormTargets::Ours, FormTargets::Onward, FormTargets::OnwardPlain] {
            for script in [Script::None, Script::Ours] {
                let policy = csp(targets, script);
                assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("frame-ancestors 'none'"));
                assert!(policy.contains("base-uri 'none'") && policy.contains("form-action "));
                assert!(!policy.contains("unsafe") && !policy.contains("data:") && !policy.contains(" *"));
                assert_eq!(policy.contains("script-src 'self'"), script == Script::Ours);
            }
        }
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
