//! A login that waits for a person at one of our pages, as it is kept.

use serde::{Deserialize, Serialize};

use super::admission::AddressKey;
use super::browser::{Keep, ticket_id};
use super::ports::{Ports, Request, Unavailable};
use super::sessions::encode;
use crate::audit::Trace;
use crate::base::limits::PENDING_LIFETIME;
use crate::base::{Digest, Moment, Secret};
use crate::broker::pending::{Destination, pending_token};
use crate::oidc::IdpId;
use crate::state::{Kind, Name, Record};

/// A login that waits; kept under its handle and the browser's binding together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pause {
    pub version: u8,
    pub at: Moment,
    pub destination: Destination,
    /// After a mismatch: the provider to sign in at again.
    pub again_at: Option<IdpId>,
    /// The only answer is to go back to the client.
    pub only_back: bool,
    pub trace: Trace,
    /// The counter of logins under way that it stands in until it is answered. What a sign-in went before isn't counted.
    pub counted_at: Option<u64>,
    /// The pending login that the last answer began.
    pub departed: Option<Digest>,
}

/// The form in which paused logins are written now.
pub const PAUSE_VERSION: u8 = 1;

impl Pause {
    fn new(destination: Destination, trace: Trace, at: Moment) -> Self {
        let version = PAUSE_VERSION;
        Self { version, at, destination, again_at: None, only_back: false, trace, counted_at: None, departed: None }
    }

    /// Which provider?
    #[must_use]
    pub fn choosing(destination: Destination, trace: Trace, at: Moment, counted_at: AddressKey) -> Self {
        Self { counted_at: Some(counted_at.0), ..Self::new(destination, trace, at) }
    }

    /// Nobody who may enter signed in: there is only the way back.
    #[must_use]
    pub fn barred(destination: Destination, trace: Trace, at: Moment) -> Self {
        Self { only_back: true, ..Self::new(destination, trace, at) }
    }

    /// Somebody else signed in. What now?
    #[must_use]
    pub fn mismatched(destination: Destination, idp: IdpId, trace: Trace, at: Moment) -> Self {
        Self { again_at: Some(idp), ..Self::new(destination, trace, at) }
    }
}

/// Keeps a paused login; gives its handle and the browser's half.
///
/// # Errors
/// [`Unavailable`] if it can't be kept.
pub async fn keep(ports: &Ports, request: &Request, pause: Pause) -> Result<(Secret, Keep), Unavailable> {
    let (handle, binding) = (ports.dice.token(), ports.dice.token());
    let name = Name::of(Kind::PausedLogin, &pending_token(&handle, &binding));
    ports.state.put(vec![Record { name, bytes: encode(&pause), lifetime: PENDING_LIFETIME }]).await?;
    let ticket = Keep::Ticket { id: ticket_id(&handle), binding: Secret::new(binding), at: request.now };
    Ok((Secret::new(handle), ticket))
}
