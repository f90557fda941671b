//! What a path came to, read from what arrived.

use serde_json::Value;

use crate::support::browser::Page;
use crate::support::client::{Ask, Client};
use crate::support::http::Response;
use crate::world::{START, World};

/// What a path came to.
#[derive(Debug)]
pub enum Outcome {
    /// An OAuth error, at the client or in JSON.
    Error(String),
    /// A page with this status.
    Page(u16),
    /// An introspected token that is nothing to the client.
    Inactive,
    /// It leads on; with these scopes, where it has some.
    Held(Vec<String>),
    /// Our front page, without the client's link.
    Unlinked,
    /// Our page that says what was signed out.
    Told,
}

/// Pushes the request; where the browser goes with it.
///
/// # Errors
/// The error's code.
pub fn push(world: &World, ask: &Ask) -> Result<String, String> {
    let fields: Vec<(&str, &str)> = ask.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let response = world.server.send(&Client::access().request(&world.server, "/acs/par", &fields));
    let Some(request_uri) = response.json()["request_uri"].as_str().map(str::to_owned) else {
        return Err(response.error());
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("client_id", "access"), ("request_uri", request_uri.as_str())])
        .finish();
    Ok(format!("{}?{query}", ask.endpoint()))
}

/// What a browser's way ended in; a code is turned in.
#[track_caller]
pub fn signed_in(world: &World, ask: &Ask, page: &Page) -> Outcome {
    let answer = match &page.answer {
        Some(response) if response.status == 200 && ask.get("response_mode") == Some("form_post") => ask.posted(page),
        Some(response) => return Outcome::Page(response.status),
        None => ask.answer(page),
    };
    match answer.fields.get("error") {
        Some(error) => Outcome::Error(error.clone()),
        None => answered(&Client::access().redeem(&world.server, ask, &answer.code())),
    }
}

pub fn answered(response: &Response) -> Outcome {
    let json = response.json();
    match json["error"].as_str() {
        Some(error) => Outcome::Error(error.to_owned()),
        None => Outcome::Held(words(&json["scope"])),
    }
}

fn words(value: &Value) -> Vec<String> {
    value.as_str().unwrap_or_default().split(' ').map(str::to_owned).collect()
}

/// Userinfo names no scopes: what it tells stands for them.
pub fn claims(response: &Response) -> Outcome {
    let json = response.json();
    match json["error"].as_str() {
        // It holds, and is about nobody.
        Some("insufficient_scope") => Outcome::Held(Vec::new()),
        Some(error) => Outcome::Error(error.to_owned()),
        None => Outcome::Held(json.as_object().expect("claims").keys().cloned().collect()),
    }
}

pub fn introspected(response: &Response) -> Outcome {
    let json = response.json();
    if json["error"].is_string() {
        return answered(response);
    }
    match json["active"].as_bool() {
        Some(false) => {
            assert_eq!(json.as_object().map(serde_json::Map::len), Some(1), "and nothing else: {json}");
            Outcome::Inactive
        }
        _ => Outcome::Held(words(&json["scope"])),
    }
}

/// Who is signed in sees at our front page where to go on to.
pub fn front(page: &Page, front_page: &str) -> Outcome {
    match &page.answer {
        Some(response) if response.status == 200 && page.url == front_page => {
            if page.text().contains(START) {
                Outcome::Held(Vec::new())
            } else {
                Outcome::Unlinked
            }
        }
        Some(response) => Outcome::Page(response.status),
        None => panic!("the browser left for {}", page.url),
    }
}

pub fn signed_out(page: &Page) -> Outcome {
    match &page.answer {
        None if page.url == "https://rp.example.com/bye" => Outcome::Held(Vec::new()),
        None => panic!("the browser left for {}", page.url),
        Some(response) if response.status != 200 => Outcome::Page(response.status),
        Some(_) => {
            assert!(!page.forms().iter().any(|form| form.has("handle")), "nobody is asked first: {}", page.text());
            Outcome::Told
        }
    }
}
