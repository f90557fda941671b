//! What a browser brings and what it is told, without HTTP.

use std::net::IpAddr;
use std::sync::Arc;

use crate::base::{Digest, Moment, Secret};
use crate::broker::Answer;
use crate::broker::sign_out::Outcome;
use crate::i18n::PageError;
use crate::oidc::params::Params;
use crate::oidc::{Client, Idp};

/// A request of a browser.
#[derive(Debug)]
pub struct Visit {
    pub params: Params,
    pub arrival: Arrival,
    /// Where it comes from, for limits only.
    pub address: IpAddr,
    pub session: Option<Secret>,
    /// The bindings of logins under way, by [`ticket_id`].
    pub tickets: Vec<(String, Secret)>,
}

/// How a request reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    Get,
    /// Perhaps from another site: SameSite=Lax cookies are then missing though the browser has them.
    Post,
    /// A POST that was kept under a handle, now come back by GET with the browser's cookies.
    Returned,
}

impl Visit {
    /// The browser's half of the login whose public half is `token`.
    #[must_use]
    pub fn binding(&self, token: &str) -> Option<&Secret> {
        let id = ticket_id(token);
        self.tickets.iter().find(|(known, _)| *known == id).map(|(_, binding)| binding)
    }
}

/// Names the cookie of a login by its public half: ten characters of its digest.
#[must_use]
pub fn ticket_id(token: &str) -> String {
    Digest::of(token).base64url().chars().take(10).collect()
}

/// What the browser is told, and what it shall keep.
#[derive(Debug)]
pub struct Reply {
    pub say: Say,
    pub cookies: Vec<Keep>,
}

impl From<Say> for Reply {
    fn from(say: Say) -> Self {
        Self { say, cookies: Vec::new() }
    }
}

impl Reply {
    #[must_use]
    pub fn keeping(mut self, keep: Keep) -> Self {
        self.cookies.push(keep);
        self
    }

    /// The same by way of a page that first loads the frames of the person who was signed in before. A form that is posted goes at once: such a page has no
    /// place for frames.
    #[must_use]
    pub fn by_way_of(self, frames: Vec<String>) -> Self {
        let say = match self.say {
            Say::Client(Answer::Redirect(next)) | Say::Go(next) if !frames.is_empty() => {
                Say::SigningOut { who: Leaver::Former, frames, next }
            }
            say => say,
        };
        Self { say, ..self }
    }
}

#[derive(Debug)]
pub enum Say {
    /// Back to the client.
    Client(Answer),
    /// On to an address of a provider, a client's own start page, or ours.
    Go(String),
    /// Come back to the same path by GET with this handle.
    ComeBack(Secret),
    Page(RefusalPage),
    Choose(ChoosePage),
    Mismatch {
        handle: Secret,
        provider: String,
        reference: String,
    },
    /// Signed in, without a client that waits.
    Links(Vec<(String, String)>),
    SignedOut,
    /// A sign-out has come to its end: what became of it, and what the page loads in frames.
    Left {
        outcome: Box<Outcome>,
        frames: Vec<String>,
    },
    /// Asks whether to sign out; the handle comes back with the answer.
    ConfirmSignOut {
        handle: Secret,
        /// The name of the client that asks.
        client: Option<String>,
        ui_locales: Option<String>,
    },
    /// Loads the clients' addresses in frames, then goes on.
    SigningOut {
        who: Leaver,
        frames: Vec<String>,
        next: String,
    },
    /// The same frames alone, on a page that others have in a frame.
    ClientFrames {
        frames: Vec<String>,
    },
}

/// Whose session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaver {
    /// Of the person who is there.
    Present,
    /// Of somebody who used this browser before the one who has just signed in.
    Former,
}

#[derive(Debug)]
pub struct RefusalPage {
    pub refusal: PageError,
    pub reference: String,
    /// An address to begin again at.
    pub way_on: Option<String>,
    /// The handle under which the person can go back to the client, which then learns that access was denied.
    pub cancel: Option<Secret>,
}

#[derive(Debug)]
pub struct ChoosePage {
    pub handle: Secret,
    pub client_name: String,
    pub idps: Vec<Arc<Idp>>,
    /// The typed address led nowhere.
    pub unknown_address: Option<String>,
}

/// A change of what the browser keeps.
#[derive(Debug)]
pub enum Keep {
    Session(Secret),
    ForgetSession,
    /// The binding of a login under way.
    Ticket {
        id: String,
        binding: Secret,
        at: Moment,
    },
    ForgetTicket {
        id: String,
    },
}

/// Where a person begins again: the client's own start page, else its origin.
#[must_use]
pub fn way_on(client: &Client) -> Option<String> {
    client.initiate_login_uri.clone().or_else(|| {
        let url = url::Url::parse(client.redirect_uris.first()?).ok()?;
        Some(crate::base::address::origin(&url))
    })
}
