//! What the endpoints answer.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::{Map, Value, json};
use vestibule::base::Digest;

use super::keys::{at_hash, key, sign};
use super::{Answer, Change, Login, Script, Seen, Shared, lock};

/// How a sound provider answers a request.
type Sound = fn(&Shared, &Script, &Seen) -> HttpResponse;

pub async fn serve(request: HttpRequest, body: Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    };
    let seen = Seen {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        headers: request.headers().iter().map(header).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    lock(&shared.seen).push_back(seen.clone());
    let script = lock(&shared.script).clone();
    let (answer, sound): (&Answer, Sound) = match seen.path.as_str() {
        "/.well-known/openid-configuration" => (&script.discovery, discovery),
        "/jwks" => (&script.jwks, jwks),
        "/token" => (&script.token, token),
        "/userinfo" => (&script.userinfo, userinfo),
        "/logout" => (&script.logout, logout),
        "/authorize" => (&Answer::Sound, authorize),
        _ => return HttpResponse::NotFound().finish(),
    };
    if let Answer::Held(gate) = answer {
        let _permit = gate.acquire().await;
        let script = lock(&shared.script).clone();
        return sound(&shared, &script, &seen);
    }
    badly(answer).await.unwrap_or_else(|| sound(&shared, &script, &seen))
}

/// The answer of a switch that is not [`Answer::Sound`].
async fn badly(answer: &Answer) -> Option<HttpResponse> {
    let broken = || std::io::Error::other("cut off");
    Some(match answer {
        Answer::Sound | Answer::Held(_) => return None,
        Answer::Hang => std::future::pending().await,
        Answer::Fixed(status, content_type, body) => {
            let status = StatusCode::from_u16(*status).expect("a status");
            HttpResponse::build(status).insert_header((CONTENT_TYPE, *content_type)).body(body.clone())
        }
        Answer::Redirect(to) => HttpResponse::TemporaryRedirect().insert_header((LOCATION, to.as_str())).finish(),
        Answer::CutOff => {
            let half: [Result<Bytes, std::io::Error>; 2] = [Ok(Bytes::from_static(b"{\"issuer\":\"")), Err(broken())];
            json_head().no_chunking(5_000).streaming(stream::iter(half))
        }
        Answer::Trickle => json_head().streaming(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        })),
        Answer::Endless => {
            let piece = Bytes::from(vec![b' '; 64 * 1024]);
            let pieces = (0..16_384).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
            json_head().streaming(stream::iter(pieces))
        }
        Answer::Compressed => json_head().insert_header(("content-encoding", "gzip")).body("{}"),
    })
}

fn json_head() -> actix_web::HttpResponseBuilder {
    let mut head = HttpResponse::Ok();
    head.insert_header((CONTENT_TYPE, "application/json"));
    head
}

fn object(mut members: Value, change: Option<&Change>) -> HttpResponse {
    if let (Some(change), Some(members)) = (change, members.as_object_mut()) {
        change(members);
    }
    json_head().body(members.to_string())
}

fn discovery(shared: &Shared, script: &Script, _seen: &Seen) -> HttpResponse {
    let at = |path: &str| format!("{}{path}", shared.issuer);
    let document = json!({
        "issuer": shared.issuer,
        "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"), "jwks_uri": at("/jwks"), "end_session_endpoint": at("/logout"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    object(document, script.metadata.as_ref())
}

fn jwks(_shared: &Shared, script: &Script, _seen: &Seen) -> HttpResponse {
    let list: Vec<Value> = (script.retired..script.keys).flat_map(|n| key(n).jwks()).collect();
    object(json!({ "keys": list }), script.jwks_body.as_ref())
}

fn authorize(shared: &Shared, script: &Script, seen: &Seen) -> HttpResponse {
    let asked = seen.params();
    let get = |name: &str| asked.get(name).cloned();
    let Some(redirect_uri) = get("redirect_uri") else {
        return HttpResponse::BadRequest().body("no redirect_uri");
    };
    let hinted = get("login_hint").and_then(|hint| script.by_hint.get(&hint).cloned());
    let mut answer: Vec<(&str, String)> = get("state").map(|state| ("state", state)).into_iter().collect();
    if script.sends_iss {
        answer.push(("iss", shared.issuer.clone()));
    }
    match script.authorize_error {
        Some(error) => answer.push(("error", error.to_owned())),
        None => {
            let login = Login {
                client_id: get("client_id").unwrap_or_default(),
                nonce: get("nonce"),
                challenge: get("code_challenge"),
                person: hinted.unwrap_or_else(|| script.person.clone()),
            };
            answer.push(("code", shared.remember(login)));
        }
    }
    if get("response_mode").as_deref() == Some("form_post") {
        let field = |(name, value): &(&str, String)| format!("<input type=hidden name={name} value=\"{value}\">");
        let fields: String = answer.iter().map(field).collect();
        let page = format!("<form method=post action=\"{redirect_uri}\">{fields}<button>Go on</button></form>");
        return HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/html")).body(page);
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    HttpResponse::Found().insert_header((LOCATION, format!("{redirect_uri}{joint}{query}"))).finish()
}

fn logout(_shared: &Shared, _script: &Script, seen: &Seen) -> HttpResponse {
    let asked = seen.params();
    let Some(home) = asked.get("post_logout_redirect_uri") else {
        return HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/html")).body("signed out at the provider");
    };
    let state = asked.get("state").map(|state| form_urlencoded::byte_serialize(state.as_bytes()).collect::<String>());
    let query = state.map(|state| format!("?state={state}")).unwrap_or_default();
    HttpResponse::Found().insert_header((LOCATION, format!("{home}{query}"))).finish()
}

fn token(shared: &Shared, script: &Script, seen: &Seen) -> HttpResponse {
    let asked = seen.params();
    let refuse = |why: &str| {
        let body = json!({"error": "invalid_grant", "error_description": why}).to_string();
        HttpResponse::BadRequest().insert_header((CONTENT_TYPE, "application/json")).body(body)
    };
    let Some(login) = asked.get("code").and_then(|code| lock(&shared.codes).remove(code)) else {
        return refuse("this code is unknown or spent");
    };
    let verifier = asked.get("code_verifier").map(String::as_str).unwrap_or_default();
    if login.challenge.as_ref().is_some_and(|challenge| *challenge != Digest::of(verifier).base64url()) {
        return refuse("the code_verifier does not fit");
    }
    let subject = login.person.get("sub").and_then(Value::as_str).unwrap_or_default();
    let access_token = format!("at-{subject}");
    let id_token = id_token(shared, script, &login, &access_token);
    let body = json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": 3600, "id_token": id_token,
        "refresh_token": "rt-of-the-provider", "scope": "openid",
    });
    object(body, script.token_body.as_ref())
}

pub fn id_token(shared: &Shared, script: &Script, login: &Login, access_token: &str) -> String {
    if let Some(text) = &script.id_token {
        return text.clone();
    }
    let now = shared.clock.now().secs();
    let mut claims = login.person.clone();
    for (name, value) in [
        ("iss", json!(shared.issuer)),
        ("aud", json!(login.client_id)),
        ("iat", json!(now)),
        ("exp", json!(now + 300)),
        ("nonce", json!(login.nonce)),
        ("auth_time", json!(now)),
        ("at_hash", json!(at_hash(script.alg, access_token))),
    ] {
        claims.insert(name.to_owned(), value);
    }
    if let Some(change) = &script.claims {
        change(&mut claims);
    }
    let key = key(script.keys - 1);
    let mut header = Map::new();
    header.insert("alg".to_owned(), json!(script.alg));
    header.insert("kid".to_owned(), json!(key.kid(script.alg)));
    if let Some(change) = &script.header {
        change(&mut header);
    }
    sign(script, &key, &header, &claims)
}

fn userinfo(_shared: &Shared, script: &Script, seen: &Seen) -> HttpResponse {
    let bearer = seen.headers.get("authorization").map(String::as_str).unwrap_or_default();
    let Some(subject) = bearer.strip_prefix("Bearer at-") else {
        return HttpResponse::Unauthorized().finish();
    };
    let mut claims = script.userinfo_claims.clone().unwrap_or_default();
    claims.entry("sub").or_insert_with(|| json!(subject));
    object(Value::Object(claims), None)
}
