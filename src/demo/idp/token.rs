//! The token endpoint and userinfo (OIDC Core §3.1.3, §5.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::realm::{ACCESS_LIFETIME, Access, Code, Grant, Realm};
use crate::base::Moment;
use crate::base::limits::{CODE_RESIDUE_LIFETIME, ID_TOKEN_LIFETIME};
use crate::demo::people::Person;
use crate::demo::wire::{Answer, Request};
use crate::keys::algorithm::half_hash;
use crate::keys::signing::JwtType;
use crate::oidc::OAuthError;
use crate::oidc::error::ErrorCode::{
    InvalidClient, InvalidGrant, InvalidRequest, InvalidToken, ServerError, UnsupportedGrantType,
};
use crate::oidc::params::Params;

impl Realm {
    pub(super) fn token(&self, request: &Request) -> Answer {
        match self.redeem(request) {
            Ok(answer) => answer,
            Err(error) => {
                let body = json!({ "error": error.code.as_str(), "error_description": error.description });
                let answer = Answer::json(error.code.status(), &body);
                if error.code == InvalidClient {
                    answer.with("WWW-Authenticate", "Basic realm=\"demo\"")
                } else {
                    answer
                }
            }
        }
    }

    fn redeem(&self, request: &Request) -> Result<Answer, OAuthError> {
        let params = &request.form;
        if params.repeated().is_some() {
            return Err(OAuthError::new(InvalidRequest, "a parameter stands twice"));
        }
        self.check_client(request)?;
        if params.get("grant_type") != Some("authorization_code") {
            return Err(OAuthError::new(UnsupportedGrantType, "grant_type must be authorization_code"));
        }
        let code = params.get("code").ok_or(OAuthError::new(InvalidRequest, "code is missing"))?;
        let now = self.clock.now();
        let refused = |description| OAuthError::new(InvalidGrant, description);
        let access = self.dice.token();
        // The code is spent by this, whatever the checks below say.
        let grant = match self.codes.take(code, now) {
            None => return Err(refused("the code is not known or has expired")),
            Some(Code::Spent { access }) => {
                self.access.take(&access, now);
                return Err(refused("the code was used before"));
            }
            Some(Code::Good(grant)) => *grant,
        };
        let spent = Code::Spent { access: access.clone() };
        self.codes.put(code, spent, now.plus(CODE_RESIDUE_LIFETIME));
        if params.get("redirect_uri") != Some(&self.redirect_uri) {
            return Err(refused("redirect_uri is not that of the authorization request"));
        }
        if !params.get("code_verifier").is_some_and(|verifier| grant.challenge.is_met_by(verifier)) {
            return Err(refused("code_verifier does not fit the code_challenge"));
        }
        let id_token = self.id_token(&grant, &access, now)?;
        let Grant { session, scopes, .. } = grant;
        let scope = scopes.join(" ");
        self.access.put(&access, Access { person: session.person, scopes }, now.plus(ACCESS_LIFETIME));
        Ok(Answer::json(
            200,
            &json!({
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": ACCESS_LIFETIME.as_secs(),
                "id_token": id_token,
                "scope": scope,
            }),
        ))
    }

    /// client_secret_basic or client_secret_post, one of them (RFC 6749 §2.3).
    fn check_client(&self, request: &Request) -> Result<(), OAuthError> {
        let refused = OAuthError::new(InvalidClient, "the client is not known, or its secret is wrong");
        let (id, secret) = match (&request.authorization, request.form.get("client_secret")) {
            (Some(_), Some(_)) => return Err(OAuthError::new(InvalidRequest, "one client authentication at a time")),
            (Some(header), None) => basic(header).ok_or(refused)?,
            (None, Some(secret)) => (request.form.get("client_id").unwrap_or_default().to_owned(), secret.to_owned()),
            (None, None) => return Err(refused),
        };
        let is_right = self.client_secret.matches(&secret);
        if id == self.client_id && is_right { Ok(()) } else { Err(refused) }
    }

    /// OIDC Core §2.
    fn id_token(&self, grant: &Grant, access: &str, now: Moment) -> Result<String, OAuthError> {
        let session = &grant.session;
        let mut claims = json!({
            "iss": self.issuer,
            "sub": session.person.subject,
            "aud": self.client_id,
            "iat": now.secs(),
            "exp": now.plus(ID_TOKEN_LIFETIME).secs(),
            "auth_time": session.auth_time.secs(),
            "sid": session.sid,
            "at_hash": half_hash(self.key.algorithm(), access),
        });
        if let (Some(nonce), Some(claims)) = (&grant.nonce, claims.as_object_mut()) {
            claims.insert("nonce".to_owned(), Value::String(nonce.clone()));
        }
        self.key
            .sign(&claims, JwtType::Jwt)
            .map_err(|_| OAuthError::new(ServerError, "the ID token could not be signed"))
    }

    pub(super) fn userinfo(&self, request: &Request) -> Answer {
        let token = request.authorization.as_deref().and_then(|header| {
            let (scheme, token) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
        match token.and_then(|token| self.access.look(token, self.clock.now())) {
            Some(access) => Answer::json(200, &about(access.person, &access.scopes)),
            None => {
                let challenge = format!("Bearer error=\"{}\"", InvalidToken.as_str());
                Answer::plain(401, "").with("WWW-Authenticate", challenge)
            }
        }
    }
}

/// What the scopes ask for (OIDC Core §5.4).
fn about(person: &Person, scopes: &[String]) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    say("sub", json!(person.subject));
    if scopes.iter().any(|scope| scope == "profile") {
        say("name", json!(person.name()));
        say("given_name", json!(person.given_name));
        say("family_name", json!(person.family_name));
        say("preferred_username", json!(person.username));
    }
    if scopes.iter().any(|scope| scope == "email") {
        say("email", json!(person.username));
        say("email_verified", json!(true));
    }
    claims
}

/// Id and secret of an `Authorization: Basic` header; both are form-encoded in it (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(encoded.trim()).ok()).flatten()?;
    let (id, secret) =
        std::str::from_utf8(&pair).ok()?.split_once(':').map(|(id, secret)| (plain(id), plain(secret)))?;
    Some((id?, secret?))
}

fn plain(encoded: &str) -> Option<String> {
    let params = Params::decode(format!("v={encoded}").as_bytes()).ok()?;
    params.get("v").map(str::to_owned)
}
