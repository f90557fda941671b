//! What was issued comes back: its record, and whether the rules of now let it count. One way for userinfo,
//! introspection and refreshing.

use std::sync::Arc;

use super::issue::{access_name, alone, is_signed};
use super::ports::{Ports, Request, Unavailable};
use super::rules::{Issued, hold};
use crate::base::limits::REFRESH_REPEAT_WINDOW;
use crate::base::{Digest, Span};
use crate::directory::Standing;
use crate::oidc::Client;
use crate::oidc::client::RuleSet;
use crate::state::{Name, Record};
use crate::token::access::{AccessRecord, AccessState};
use crate::token::family::{Family, FamilyId};
use crate::token::machine::MachineRecord;
use crate::token::standing::Why;

/// The record of a presented access token, its own time not over, and the client that it was issued to. Nothing else of
/// it has been asked.
#[derive(Debug)]
pub struct Found {
    pub client: Arc<Client>,
    /// Its `jti`, if it is a signed one.
    pub id: Option<Digest>,
    name: Name,
    seen: Vec<u8>,
    state: AccessState,
}

/// An access token for which every rule holds.
#[derive(Debug)]
pub enum Holding {
    Person(Box<OfPerson>),
    Machine(OfMachine),
}

#[derive(Debug)]
pub struct OfPerson {
    /// With the scopes that the client's file still lists.
    pub record: AccessRecord,
    pub standing: Standing,
}

#[derive(Debug)]
pub struct OfMachine {
    pub record: MachineRecord,
    /// What is left of its rights now.
    pub rule_sets: Vec<RuleSet>,
}

/// Looks for a presented access token, opaque or signed. `None`: not one of ours, expired or revoked.
///
/// # Errors
/// [`Unavailable`] while it can't be told.
pub async fn find(ports: &Ports, request: &Request, token: &str) -> Result<Option<Found>, Unavailable> {
    let Some(name) = access_name(ports, request, token) else { return Ok(None) };
    let Some(seen) = ports.state.peek(name).await? else { return Ok(None) };
    let Some(state) = AccessState::decode(&seen) else { return Ok(None) };
    let client = match state.issued_to() {
        Some((client, expires)) if expires > request.now => request.config.clients.get(client).cloned(),
        _ => None,
    };
    let id = is_signed(token).then_some(name.digest);
    Ok(client.map(|client| Found { client, id, name, seen, state }))
}

impl Found {
    /// Asks every rule of now; what holds counts as used from here on. `None`: it doesn't hold.
    ///
    /// # Errors
    /// [`Unavailable`] while it can't be told.
    pub async fn hold(self, ports: &Ports, request: &Request) -> Result<Option<Holding>, Unavailable> {
        match self.state {
            AccessState::Issued(record) => {
                let Some(standing) = standing(ports, self.name, &record).await? else { return Ok(None) };
                let issued = Issued {
                    client: Some(&self.client),
                    idp: &record.grant.idp,
                    at: record.issued,
                    bound_to_session: record.bound_to_session,
                };
                if hold(request, issued, Some(&standing).into()).is_err()
                    || !note_first_use(ports, request, (self.name, self.seen), &record).await?
                {
                    return Ok(None);
                }
                let mut record = *record;
                record.grant = record.grant.within(&self.client);
                Ok(Some(Holding::Person(Box::new(OfPerson { record, standing }))))
            }
            AccessState::Machine(record) => {
                let Ok(rule_sets) = record.rights(&self.client, request.now) else { return Ok(None) };
                // A store that is restored brings a revoked token back; the database remembers.
                let revoked = ports.directory.families.is_revoked(&alone(self.name.digest)).await?;
                Ok((!revoked).then_some(Holding::Machine(OfMachine { record, rule_sets })))
            }
            AccessState::Sync(_) | AccessState::Revoked { .. } => Ok(None),
        }
    }
}

/// Asks every rule of now about a refresh family, but those of its own times.
///
/// # Errors
/// [`Unavailable`] while it can't be told; within, the first [`Why`] that doesn't hold.
pub async fn hold_family(
    ports: &Ports,
    request: &Request,
    family: &Family,
    client: &Client,
) -> Result<Result<Standing, Why>, Unavailable> {
    let standing = ports.directory.users.standing(&family.user, Some(&family.sid), &[&family.id]).await?;
    let issued = Issued {
        client: Some(client),
        idp: &family.idp,
        at: family.created,
        bound_to_session: family.bound_to_session,
    };
    let held = hold(request, issued, standing.as_ref().into());
    Ok(held.and_then(|()| standing.ok_or(Why::UserGone)))
}

/// The standing of now; a token is revoked with its family, or alone.
async fn standing(ports: &Ports, name: Name, record: &AccessRecord) -> Result<Option<Standing>, Unavailable> {
    let (grant, alone) = (&record.grant, alone(name.digest));
    let families: Vec<&FamilyId> = [&alone].into_iter().chain(&record.family).collect();
    Ok(ports.directory.users.standing(&grant.user, Some(&grant.sid), &families).await?)
}

/// A used access token shows that its refresh token arrived too; only while that can matter is it written down. False:
/// it was voided in this very moment.
async fn note_first_use(
    ports: &Ports,
    request: &Request,
    (name, seen): (Name, Vec<u8>),
    record: &AccessRecord,
) -> Result<bool, Unavailable> {
    let age = request.now.since(record.issued);
    let matters = record.family.is_some() && age <= Span::from_ms(REFRESH_REPEAT_WINDOW.ms() * 2);
    let Some(used) = record.first_use().filter(|_| matters) else { return Ok(true) };
    let lifetime = Span::from_ms(record.expires.ms() - request.now.ms());
    let bytes = AccessState::Issued(Box::new(used)).encode();
    if ports.state.swap(seen, Record { name, bytes, lifetime }).await? {
        return Ok(true);
    }
    // Somebody else noted it, or a repeated refresh voided the token.
    let kept = ports.state.peek(name).await?;
    Ok(matches!(kept.as_deref().and_then(AccessState::decode), Some(AccessState::Issued(_))))
}
