//! Introspection (RFC 7662): a client asks about a token that was issued to it. About any other token, whatever is wrong
//! with it, it hears one and the same answer.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::client_auth::{Call, CallFault, authenticate};
use super::ports::{Ports, Request, Unavailable};
use super::presented::{Holding, find, hold_family};
use crate::base::Moment;
use crate::oidc::error::ErrorCode::{InvalidClient, InvalidRequest};
use crate::oidc::{Client, OAuthError, Scope};
use crate::token::access::AccessRecord;
use crate::token::family::{check_alive, narrow};
use crate::token::machine::{MachineRecord, scope};
use crate::token::refresh_token::RefreshToken;
use crate::token::subject::Subject;

type Answer = Map<String, Value>;

/// Answers `/acs/introspect`. `token_type_hint` changes nothing: a token's kind is seen by its form (RFC 7662 §2.1).
///
/// # Errors
/// `invalid_client` without client authentication, `invalid_request`, 503 while it can't be told.
pub async fn introspect(ports: &Ports, call: Call) -> Result<Answer, CallFault> {
    let request = ports.request();
    if call.params.repeated().is_some() {
        return Err(OAuthError::new(InvalidRequest, "a parameter stands more than once").into());
    }
    let client = authenticate(ports, &request, &call).await?;
    if client.is_public() {
        return Err(OAuthError::new(InvalidClient, "introspection needs client authentication").into());
    }
    let token = call.params.get("token").ok_or(OAuthError::new(InvalidRequest, "token is missing"))?;
    let asking = Asking { ports, request: &request, client: &client };
    let active = match RefreshToken::parse(token) {
        Some(refresh) => asking.refresh(&refresh).await?,
        None => asking.access(token).await?,
    };
    Ok(active.unwrap_or_else(|| Answer::from_iter([("active".to_owned(), false.into())])))
}

struct Asking<'a> {
    ports: &'a Ports,
    request: &'a Request,
    client: &'a Arc<Client>,
}

impl Asking<'_> {
    async fn access(&self, token: &str) -> Result<Option<Answer>, Unavailable> {
        let Some(found) = find(self.ports, self.request, token).await? else { return Ok(None) };
        if found.client.id != self.client.id {
            return Ok(None);
        }
        let id = found.id;
        let mut answer = match found.hold(self.ports, self.request).await? {
            None => return Ok(None),
            Some(Holding::Person(person)) => {
                let subject = Subject::of(&person.standing.user.id, self.client, &self.ports.pairwise_salt);
                let AccessRecord { grant, issued, expires, .. } = &person.record;
                let mut answer = self.about(subject.as_str(), *issued, *expires);
                put_scope(&mut answer, &grant.scopes);
                answer.insert("sid".to_owned(), grant.sid.as_str().into());
                answer
            }
            Some(Holding::Machine(machine)) => {
                let MachineRecord { client, issued, expires, .. } = &machine.record;
                let mut answer = self.about(&client.0, *issued, *expires);
                if let Some(scope) = scope(&machine.rule_sets) {
                    answer.insert("scope".to_owned(), scope.into());
                }
                answer
            }
        };
        answer.insert("token_type".to_owned(), "Bearer".into());
        if let Some(id) = id {
            answer.insert("jti".to_owned(), id.base64url().into());
        }
        Ok(Some(answer))
    }

    /// The refresh token that is good now. One that was turned in is not, even while a lost answer may be asked for
    /// again; nor does asking about it count as reuse.
    async fn refresh(&self, token: &RefreshToken) -> Result<Option<Answer>, Unavailable> {
        let family = self.ports.directory.families.family(&token.family()).await?;
        let Some(family) = family.filter(|family| family.client == self.client.id) else { return Ok(None) };
        if check_alive(&family, self.client, self.request.now).is_err() || !token.digest().matches(&family.current) {
            return Ok(None);
        }
        let Ok(standing) = hold_family(self.ports, self.request, &family, self.client).await? else { return Ok(None) };
        let Ok(scopes) = narrow(&family, None, self.client) else { return Ok(None) };
        let subject = Subject::of(&standing.user.id, self.client, &self.ports.pairwise_salt);
        let issued = family.rotated_at.unwrap_or(family.created);
        // Without `token_type`: nobody shall take it for an access token.
        let mut answer = self.about(subject.as_str(), issued, family.ends.min(family.idle_ends));
        put_scope(&mut answer, &scopes);
        answer.insert("sid".to_owned(), family.sid.into());
        Ok(Some(answer))
    }

    fn about(&self, subject: &str, issued: Moment, expires: Moment) -> Answer {
        let issuer = &self.request.config.server.issuer;
        let members = [
            ("active", json!(true)),
            ("client_id", json!(self.client.id.0)),
            ("sub", json!(subject)),
            ("iss", json!(issuer)),
            ("aud", json!(issuer)),
            ("iat", json!(issued.secs())),
            ("exp", json!(expires.secs())),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn put_scope(answer: &mut Answer, scopes: &[Scope]) {
    if !scopes.is_empty() {
        answer.insert("scope".to_owned(), Scope::join(scopes).into());
    }
}
