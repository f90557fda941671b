//! The way back to the client. A [`ReturnAddress`] can only be made where the redirect URI is proven, so
//! nothing is ever redirected to an unregistered one.

use serde::{Deserialize, Serialize};

use crate::oidc::OAuthError;

/// OAuth 2.0 Multiple Response Types §2.1 and Form Post Response Mode 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    Query,
    FormPost,
}

/// Where the answer to an authorization request goes: proven redirect URI, response mode, state, our issuer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnAddress {
    redirect_uri: String,
    mode: ResponseMode,
    state: Option<String>,
    issuer: String,
}

impl std::fmt::Debug for ReturnAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReturnAddress").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

/// An answer on its way to the client, by the browser.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// 303 to this URL.
    Redirect(String),
    /// A page that posts these fields.
    FormPost { action: String, fields: Vec<(&'static str, String)> },
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

impl ReturnAddress {
    /// Only [`super::request::validate_client`] calls this, with a redirect URI that the client registered.
    pub(super) const fn proven(redirect_uri: String, issuer: String) -> Self {
        Self { redirect_uri, mode: ResponseMode::Query, state: None, issuer }
    }

    pub(super) fn with_state(mut self, state: Option<String>) -> Self {
        self.state = state;
        self
    }

    pub(super) const fn with_mode(mut self, mode: ResponseMode) -> Self {
        self.mode = mode;
        self
    }

    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The successful answer (RFC 6749 §4.1.2, RFC 9207 §2).
    #[must_use]
    pub fn code(&self, code: &str) -> Answer {
        self.answer(vec![("code", code.to_owned())])
    }

    /// The error answer (RFC 6749 §4.1.2.1, RFC 9207 §2).
    #[must_use]
    pub fn error(&self, error: OAuthError) -> Answer {
        self.answer(vec![
            ("error", error.code.as_str().to_owned()),
            ("error_description", error.description.to_owned()),
        ])
    }

    fn answer(&self, mut fields: Vec<(&'static str, String)>) -> Answer {
        if let Some(state) = &self.state {
            fields.push(("state", state.clone()));
        }
        fields.push(("iss", self.issuer.clone()));
        match self.mode {
            ResponseMode::FormPost => Answer::FormPost { action: self.redirect_uri.clone(), fields },
            ResponseMode::Query => {
                let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
                // The text of the registered URI stays as it is; `Url` would normalise it.
                let joint = match self.redirect_uri.as_bytes() {
                    [.., b'?' | b'&'] => "",
                    bytes if bytes.contains(&b'?') => "&",
                    _ => "?",
                };
                Answer::Redirect(format!("{}{joint}{query}", self.redirect_uri))
            }
        }
    }
}
