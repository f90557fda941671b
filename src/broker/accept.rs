//! The checks of an authorization request, in the order of the specification, one function per rule.

use super::answer::{ResponseMode, ReturnAddress};
use super::request::{AuthorizationRequest, ClientRequest};
use crate::base::limits::{NONCE_BYTES_MAX, SCOPE_WORDS_MAX, SUBJECT_BYTES_MAX};
use crate::base::text::{HintFault, LoginHint, is_control};
use crate::hint::EntryPath;
use crate::oidc::client::GrantType;
use crate::oidc::error::ErrorCode::{
    InvalidRequest, InvalidScope, RegistrationNotSupported, RequestNotSupported, RequestUriNotSupported,
    UnauthorizedClient, UnsupportedResponseType,
};
use crate::oidc::params::Params;
use crate::oidc::pkce::CodeChallenge;
use crate::oidc::prompt::Prompt;
use crate::oidc::{Client, OAuthError, Scope};

/// An error and the proven address it goes back to.
pub type Back = Box<(ReturnAddress, OAuthError)>;

/// Checks everything that can be checked without knowing the person.
///
/// # Errors
/// The OAuth error and where it goes.
pub fn accept(request: ClientRequest<'_>, entry: EntryPath) -> Result<AuthorizationRequest, Back> {
    let ClientRequest { client, back, params, state_too_long } = request;
    // First of all, so that later errors already travel as the client asked.
    let mode = response_mode(params);
    let back = back.with_mode(mode.unwrap_or(ResponseMode::Query));
    let checked = mode
        .and_then(|_| check_state(state_too_long))
        .and_then(|()| check_repeated(params))
        .and_then(|()| check_unsupported(params))
        .and_then(|()| check_pushed(&client, entry))
        .and_then(|()| check_response_type(&client, params))
        .and_then(|()| fields(&client, params, entry));
    match checked {
        Ok(fields) => Ok(fields.into_request(&client, back)),
        Err(error) => Err(Box::new((back, error))),
    }
}

/// Asks once more what depends on the client's file, which may have changed since the request was pushed. Scopes that are
/// gone from it are left out.
///
/// # Errors
/// As [`accept`].
pub fn accept_again(mut asked: AuthorizationRequest, client: &Client) -> Result<AuthorizationRequest, Back> {
    asked.scopes.retain(|scope| client.scopes.contains(scope));
    let checked = check_code_flow(client)
        .and_then(|()| check_openid(&asked.scopes))
        .and_then(|()| check_challenged(client, asked.challenge.as_ref()));
    match checked {
        Ok(()) => Ok(asked),
        Err(error) => Err(Box::new((asked.back, error))),
    }
}

/// The way back for a request that is refused before its checks.
#[must_use]
pub fn refuse(request: ClientRequest<'_>, error: OAuthError) -> Back {
    let mode = response_mode(request.params).unwrap_or(ResponseMode::Query);
    Box::new((request.back.with_mode(mode), error))
}

struct Fields {
    scopes: Vec<Scope>,
    nonce: Option<String>,
    challenge: Option<CodeChallenge>,
    prompt: Prompt,
    max_age: Option<u32>,
    acr_values: Option<String>,
    ui_locales: Option<String>,
    hint: Option<LoginHint>,
    domain: Option<String>,
    subject: Option<String>,
    entry: EntryPath,
}

impl Fields {
    fn into_request(self, client: &Client, back: ReturnAddress) -> AuthorizationRequest {
        AuthorizationRequest {
            client: client.id.clone(),
            back,
            scopes: self.scopes,
            nonce: self.nonce,
            challenge: self.challenge,
            prompt: self.prompt,
            max_age: self.max_age,
            acr_values: self.acr_values,
            ui_locales: self.ui_locales,
            hint: self.hint,
            typed: None,
            domain: self.domain,
            subject: self.subject,
            entry: self.entry,
            pushed: None,
        }
    }
}

fn fields(client: &Client, params: &Params, entry: EntryPath) -> Result<Fields, OAuthError> {
    Ok(Fields {
        scopes: scopes(client, params)?,
        nonce: bounded(params, "nonce", NONCE_BYTES_MAX)?,
        challenge: challenge(client, params)?,
        prompt: prompt(params)?,
        max_age: max_age(params)?,
        acr_values: bounded(params, "acr_values", 512)?,
        ui_locales: bounded(params, "ui_locales", 512)?,
        hint: login_hint(params)?,
        domain: bounded(params, "domain", 253)?,
        subject: requested_subject(params)?,
        entry: if params.get("login_hint").is_none() && params.get("u").is_some() { EntryPath::Alias } else { entry },
    })
}

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(InvalidRequest, description)
}

/// RFC 9700 §4.7: a state is returned whole or not at all.
const fn check_state(too_long: bool) -> Result<(), OAuthError> {
    if too_long { Err(invalid("state has more than 2048 bytes")) } else { Ok(()) }
}

/// RFC 6749 §3.1: parameters must not stand more than once.
fn check_repeated(params: &Params) -> Result<(), OAuthError> {
    if params.repeated().is_some() { Err(invalid("a parameter stands more than once")) } else { Ok(()) }
}

/// OIDC Core §6: request objects that aren't supported are refused, never ignored.
fn check_unsupported(params: &Params) -> Result<(), OAuthError> {
    let refused = |code, description| Err(OAuthError::new(code, description));
    if params.get("request_uri").is_some() {
        return refused(RequestUriNotSupported, "only the request_uri of a request pushed here is supported");
    }
    if params.get("request").is_some() {
        return refused(RequestNotSupported, "request objects are for clients with keys");
    }
    if params.get("registration").is_some() {
        return refused(RegistrationNotSupported, "registration is not supported");
    }
    Ok(())
}

/// RFC 9126 §5: a client that must push its requests can't send them by the browser.
fn check_pushed(client: &Client, entry: EntryPath) -> Result<(), OAuthError> {
    if client.require_par && entry != EntryPath::Pushed {
        Err(invalid("this client must push its authorization requests"))
    } else {
        Ok(())
    }
}

/// Code flow only.
fn check_response_type(client: &Client, params: &Params) -> Result<(), OAuthError> {
    match params.get("response_type") {
        None => Err(invalid("response_type is missing")),
        Some("code") => check_code_flow(client),
        Some(_) => Err(OAuthError::new(UnsupportedResponseType, "only response_type=code is supported")),
    }
}

fn check_code_flow(client: &Client) -> Result<(), OAuthError> {
    if client.may_use(GrantType::AuthorizationCode) {
        Ok(())
    } else {
        Err(OAuthError::new(UnauthorizedClient, "this client may not use the authorization code flow"))
    }
}

fn response_mode(params: &Params) -> Result<ResponseMode, OAuthError> {
    match params.get("response_mode") {
        _ if params.is_repeated("response_mode") => Err(invalid("a parameter stands more than once")),
        None | Some("query") => Ok(ResponseMode::Query),
        Some("form_post") => Ok(ResponseMode::FormPost),
        Some(_) => Err(invalid("response_mode is query or form_post")),
    }
}

/// OIDC Core §3.1.2.1: openid must be asked for; what the client's file doesn't list is left out.
fn scopes(client: &Client, params: &Params) -> Result<Vec<Scope>, OAuthError> {
    let text = params.get("scope").unwrap_or_default();
    if text.split(' ').nth(SCOPE_WORDS_MAX).is_some() {
        return Err(OAuthError::new(InvalidScope, "scope has more than 100 words"));
    }
    let asked: Vec<&str> = text.split(' ').collect();
    let granted: Vec<Scope> =
        Scope::ALL.into_iter().filter(|s| asked.contains(&s.as_str()) && client.scopes.contains(s)).collect();
    check_openid(&granted).map(|()| granted)
}

fn check_openid(granted: &[Scope]) -> Result<(), OAuthError> {
    if granted.contains(&Scope::Openid) {
        Ok(())
    } else {
        Err(OAuthError::new(InvalidScope, "scope must contain openid"))
    }
}

/// OIDC Core §3.1.2.1: `none` stands alone.
fn prompt(params: &Params) -> Result<Prompt, OAuthError> {
    Prompt::parse(params.get("prompt")).ok_or(invalid("prompt is none, or login and select_account"))
}

/// OIDC Core §3.1.2.1: whole seconds.
fn max_age(params: &Params) -> Result<Option<u32>, OAuthError> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    seconds.map(Some).ok_or(invalid("max_age is a whole number of seconds"))
}

/// RFC 7636 §4.3, RFC 9700 §2.1.1: S256 only.
fn challenge(client: &Client, params: &Params) -> Result<Option<CodeChallenge>, OAuthError> {
    let method = params.get("code_challenge_method");
    match params.get("code_challenge") {
        None if method.is_some() => Err(invalid("code_challenge_method without code_challenge")),
        None => check_challenged(client, None).map(|()| None),
        Some(_) if method != Some("S256") => Err(invalid("code_challenge_method must be S256")),
        Some(text) => match CodeChallenge::parse(text) {
            Some(challenge) => Ok(Some(challenge)),
            None => Err(invalid("code_challenge has 43 base64url characters")),
        },
    }
}

fn check_challenged(client: &Client, challenge: Option<&CodeChallenge>) -> Result<(), OAuthError> {
    if challenge.is_none() && (client.pkce_required || client.is_public()) {
        Err(invalid("code_challenge is missing"))
    } else {
        Ok(())
    }
}

/// OIDC Core §3.1.2.1; `u` is the vendor's alias.
fn login_hint(params: &Params) -> Result<Option<LoginHint>, OAuthError> {
    let parse = |name| {
        params.get(name).map_or(Ok(None), |text| {
            LoginHint::parse(text).map_err(|fault| match fault {
                HintFault::TooLong => invalid("login_hint has more than 512 characters"),
                HintFault::ControlCharacter => invalid("login_hint has a control character"),
            })
        })
    };
    match (parse("login_hint")?, parse("u")?) {
        (Some(hint), Some(alias)) if hint != alias => Err(invalid("login_hint and u differ")),
        (hint, alias) => Ok(hint.or(alias)),
    }
}

fn bounded(params: &Params, name: &str, bytes_max: usize) -> Result<Option<String>, OAuthError> {
    match params.get(name) {
        Some(text) if text.len() > bytes_max || text.chars().any(is_control) => {
            Err(invalid("a parameter is too long or has a control character"))
        }
        other => Ok(other.map(str::to_owned)),
    }
}

/// OIDC Core §5.5.1: a `sub` asked for by value in the claims parameter. Everything else there is voluntary.
fn requested_subject(params: &Params) -> Result<Option<String>, OAuthError> {
    let Some(text) = params.get("claims") else { return Ok(None) };
    let claims: serde_json::Value = serde_json::from_str(text).map_err(|_| invalid("claims is a JSON object"))?;
    if !claims.is_object() {
        return Err(invalid("claims is a JSON object"));
    }
    match claims.pointer("/id_token/sub/value").and_then(|value| value.as_str()) {
        Some(subject) if subject.len() > SUBJECT_BYTES_MAX => Err(invalid("sub has more than 255 characters")),
        subject => Ok(subject.map(str::to_owned)),
    }
}
